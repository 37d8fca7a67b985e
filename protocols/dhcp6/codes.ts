/** RFC 8415 §7.3 */
export const MessageType = {
  solicit: 1,
  advertise: 2,
  request: 3,
  confirm: 4,
  renew: 5,
  rebind: 6,
  reply: 7,
  release: 8,
  decline: 9,
  informationRequest: 11,
  relayForward: 12,
  relayReply: 13,
} as const

/** RFC 8415 §21, unless another is given. */
export const Option = {
  clientId: 1,
  serverId: 2,
  iaNa: 3,
  iaAddress: 5,
  optionRequest: 6,
  preference: 7,
  relayMessage: 9,
  statusCode: 13,
  rapidCommit: 14,
  userClass: 15,
  vendorClass: 16,
  interfaceId: 18,
  dnsServers: 23, // RFC 3646
  bootFileUrl: 59, // RFC 5970 §3.1
  bootFileParameters: 60, // RFC 5970 §3.2
  clientArchitecture: 61, // RFC 5970 §3.3
  clientLinkLayerAddress: 79, // RFC 6939
} as const

/** RFC 8415 §21.13 */
export const Status = { success: 0, noAddress: 2, noBinding: 3, notOnLink: 4, useMulticast: 5 } as const

export const SERVER_PORT = 547
export const CLIENT_PORT = 546
export const ALL_AGENTS = 'ff02::1:2'
export const ALL_SERVERS = 'ff05::1:3'
/** RFC 8415 §7.6: so many relays a message may pass. */
export const MAX_HOPS = 8
