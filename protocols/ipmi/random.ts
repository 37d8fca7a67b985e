import { randomBytes } from 'node:crypto'

/** Where nonces, IVs, session ids and jitter come from. */
export type Random = (length: number) => Uint8Array

/** Every packet needs an IV, and asking the system for a few bytes costs as much as for some thousand. */
const POOL = 4096
let pool = new Uint8Array(0)

export const systemRandom: Random = (length) => {
  if (length > POOL) return randomBytes(length)
  if (pool.length < length) pool = new Uint8Array(randomBytes(POOL))
  const taken = pool.slice(0, length)
  pool = pool.subarray(length)
  return taken
}

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
