import { Reader } from '@bloomery/wire/reader.ts'

/** What a relay says of the place that a client asks from: option 82, RFC 3046. */
export interface RelayInformation {
  /** The port, as the relay or the switch names it (sub-option 1): lower-case hex, as any bytes may stand there. */
  circuit?: string
  /** The relay's or subscriber's name (sub-option 2), in hex. */
  remote?: string
  /** RFC 3527, sub-option 5: the link that the client is on, where it isn't giaddr's. */
  link?: number
  /** RFC 5107, sub-option 11: the relay poses as the server, so that renewals come by way of it. */
  serverOverride?: number
}

/** A sub-option that ends behind the option counts as absent, and so does everything after it. */
export function readRelayInformation(value: Uint8Array | undefined): RelayInformation {
  const found: RelayInformation = {}
  if (value === undefined) return found
  let at = 0
  while (at + 2 <= value.length) {
    const length = value[at + 1] ?? 0
    if (at + 2 + length > value.length) return found
    const content = value.subarray(at + 2, at + 2 + length)
    const code = value[at]
    if (code === 1 && length > 0) found.circuit = Buffer.from(content).toString('hex')
    if (code === 2 && length > 0) found.remote = Buffer.from(content).toString('hex')
    if (code === 5 && length === 4) found.link = new Reader(content).u32()
    if (code === 11 && length === 4) found.serverOverride = new Reader(content).u32()
    at += 2 + length
  }
  return found
}
