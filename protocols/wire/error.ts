/** Bytes from a peer that are not what its protocol says. The packet is dropped and counted; it is never a bug of ours. */
export class WireError extends Error {
  override readonly name = 'WireError'
}
