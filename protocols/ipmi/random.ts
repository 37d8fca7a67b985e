import { randomBytes } from 'node:crypto'

/** Where nonces, IVs, session ids and jitter come from. */
export type Random = (length: number) => Uint8Array

export const systemRandom: Random = (length) => randomBytes(length)

/** Never 0, which means "no session" (IPMI 2.0 §13.17). */
export function randomSessionId(random: Random): number {
  for (;;) {
    const bytes = random(4)
    const id = new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0, true)
    if (id !== 0) return id
  }
}

/** Evenly between 0 and 1. */
export function randomFraction(random: Random): number {
  const bytes = random(4)
  return new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0, true) / 2 ** 32
}
