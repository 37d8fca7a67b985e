/** RFC 2131 §3, RFC 2132 §9.6 */
export const MessageType = {
  discover: 1,
  offer: 2,
  request: 3,
  decline: 4,
  ack: 5,
  nak: 6,
  release: 7,
  inform: 8,
  leaseQuery: 10, // RFC 4388 §6.1, to the next three
  leaseUnassigned: 11,
  leaseUnknown: 12,
  leaseActive: 13,
} as const

/** The options that are named in this library (RFC 2132 unless another is given). Any other goes through as bytes. */
export const Option = {
  pad: 0,
  subnetMask: 1,
  router: 3,
  dns: 6,
  hostName: 12,
  broadcastAddress: 28,
  vendorSpecific: 43,
  requestedAddress: 50,
  leaseTime: 51,
  overload: 52,
  messageType: 53,
  serverIdentifier: 54,
  parameterRequestList: 55,
  message: 56,
  maxMessageSize: 57,
  renewalTime: 58,
  rebindingTime: 59,
  vendorClass: 60,
  clientIdentifier: 61,
  tftpServerName: 66,
  bootFileName: 67,
  userClass: 77, // RFC 3004
  relayAgentInformation: 82, // RFC 3046
  lastTransaction: 91, // RFC 4388 §6.1
  associatedAddress: 92, // RFC 4388 §6.1
  clientArchitecture: 93, // RFC 4578 §2.1
  clientUuid: 97, // RFC 4578 §2.3
  ipxe: 175, // iPXE's encapsulated options
  end: 255,
} as const

export const SERVER_PORT = 67
export const CLIENT_PORT = 68
/** Of boot servers, proxyDHCP among them: PXE 2.1 §2.2.3 */
export const PXE_PORT = 4011
export const BROADCAST = 0xffff_ffff
