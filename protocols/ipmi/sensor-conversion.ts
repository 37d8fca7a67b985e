/** IPMI 2.0 §36.3: y = L((M·x + B·10^bExponent)·10^resultExponent). */
export interface Conversion {
  /** How `x` is a number: 0 unsigned, 1 ones' complement, 2 two's complement, 3 not at all. */
  format: number
  /** Table 43-1, byte 24. */
  linearization: number
  m: number
  b: number
  bExponent: number
  resultExponent: number
}

const linearizations: Record<number, (y: number) => number> = {
  0: (y) => y,
  1: Math.log,
  2: Math.log10,
  3: Math.log2,
  4: Math.exp,
  5: (y) => 10 ** y,
  6: (y) => 2 ** y,
  7: (y) => 1 / y,
  8: (y) => y ** 2,
  9: (y) => y ** 3,
  10: Math.sqrt,
  11: Math.cbrt,
}

/** Undefined: the record gives no formula, or the formula no number. */
export function convert({ format, linearization, m, b, ...exponents }: Conversion, raw: number): number | undefined {
  const x = numberOf(format, raw)
  const linear = linearizations[linearization]
  if (x === undefined || !linear) return undefined
  const { bExponent, resultExponent } = exponents
  const y = linear((m * x + b * 10 ** bExponent) * 10 ** resultExponent)
  // Ten significant digits: 0.1 and 3 don't make 0.30000000000000004 degrees.
  return Number.isFinite(y) ? Number(y.toPrecision(10)) : undefined
}

/** A reading as a number; undefined: it is none. */
export function numberOf(format: number, raw: number): number | undefined {
  if (format === 0) return raw
  if (format === 1) return raw > 0x7f ? raw - 0xff : raw
  if (format === 2) return raw > 0x7f ? raw - 0x100 : raw
  return undefined
}
