import { MessageType, Option } from './codes.ts'
import { encodePacket, type DhcpOption, type DhcpPacket } from './packet.ts'
import type { RelayHop } from './request.ts'

/** The reply as it goes back through the relays that the request came by, the client's own innermost: RFC 8415 §19.3. */
export function wrapped(reply: DhcpPacket, relays: readonly RelayHop[]): Uint8Array {
  let bytes = encodePacket(reply)
  for (const { hops, link, peer, interfaceId } of relays) {
    const options: DhcpOption[] = [{ code: Option.relayMessage, value: bytes }]
    if (interfaceId !== undefined) options.unshift({ code: Option.interfaceId, value: interfaceId })
    bytes = encodePacket({ type: MessageType.relayReply, hops, link, peer, options })
  }
  return bytes
}

/** Where the client is: of the relays nearest to it, the first that names a link (a switch that only snoops leaves it empty). */
export function linkOf(relays: readonly RelayHop[]): Uint8Array | undefined {
  return relays.find(({ link }) => link.some((byte) => byte !== 0))?.link
}
