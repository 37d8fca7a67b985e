const CR = 13
const LF = 10
const NUL = 0

/** RFC 764's network text: LF becomes CR LF, a bare CR becomes CR NUL. */
export function toNetascii(bytes: Uint8Array): Uint8Array {
  const out: number[] = []
  for (const byte of bytes) {
    if (byte === LF) out.push(CR, LF)
    else if (byte === CR) out.push(CR, NUL)
    else out.push(byte)
  }
  return Uint8Array.from(out)
}
