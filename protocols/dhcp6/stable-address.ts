import { createHash } from 'node:crypto'

/**
 * A client's address as a function of who it is (RFC 7943): 64 bits of a hash behind the /64 of its link. Nothing is remembered, so
 * nothing is lost by a restart, the pool can't be used up, and every server of a site gives the same machine the same address. Two of
 * 50,000 machines meet with a chance of 1 in 10 billion. `declined` counts how often this client found its address in use.
 */
export function stableAddress(prefix: Uint8Array, clientId: Uint8Array, iaid: number, declined: number): Uint8Array {
  const hash = createHash('sha256')
  hash.update(prefix.subarray(0, 8))
  hash.update(Uint8Array.of(clientId.length))
  hash.update(clientId)
  hash.update(Uint8Array.of(iaid >>> 24, (iaid >>> 16) & 255, (iaid >>> 8) & 255, iaid & 255, declined & 255))
  const address = new Uint8Array(16)
  address.set(prefix.subarray(0, 8))
  address.set(hash.digest().subarray(0, 8), 8)
  // Not universal, so that it never equals an address that a card made of its MAC (RFC 4291 §2.5.1).
  address[8] = (address[8] ?? 0) & 0xfd
  return address
}
