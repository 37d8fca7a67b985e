import { WireError } from '@bloomery/wire/error.ts'
import { Reader } from '@bloomery/wire/reader.ts'
import { Writer } from '@bloomery/wire/writer.ts'
import { readAsf, readRmcpHeader, writeAsf, writeRmcpHeader, type AsfMessage } from './rmcp.ts'

/** IPMI 2.0 §13.27.3: what an RMCP+ datagram carries. */
export const payloadTypes = {
  message: 0x00,
  sol: 0x01,
  openSessionRequest: 0x10,
  openSessionResponse: 0x11,
  rakp1: 0x12,
  rakp2: 0x13,
  rakp3: 0x14,
  rakp4: 0x15,
} as const

const RMCPP = 0x06
const OEM_EXPLICIT = 0x02
const ENCRYPTED = 0x80
const AUTHENTICATED = 0x40
/** No LAN message or handshake payload comes near this; a longer one is not ours. */
const MAX_PAYLOAD = 1024

/** IPMI 1.5 session header, IPMI 2.0 §13.6: only its session-less form is spoken here, so authentication is `none`.
 *
 *     | auth type | sequence LE4 | session id LE4 | auth code 16 if type ≠ 0 | length | payload |
 */
export interface Packet15 {
  format: '1.5'
  authType: number
  sequence: number
  sessionId: number
  authCode?: Uint8Array
  payload: Uint8Array
}

/** RMCP+ session header, IPMI 2.0 §13.6:
 *
 *     | 06 | E A type | session id LE4 | sequence LE4 | length LE2 | payload | pad FF… | pad length | 07 | auth code |
 */
export interface Packet20 {
  format: '2.0'
  payloadType: number
  encrypted: boolean
  authenticated: boolean
  sessionId: number
  sequence: number
  payload: Uint8Array
  /** Everything behind the payload. How it divides depends on the session's integrity algorithm: see seal.ts. */
  trailer: Uint8Array
}

export type AsfPacket = { format: 'asf' } & AsfMessage
export type Packet = AsfPacket | Packet15 | Packet20

export function decodePacket(bytes: Uint8Array): Packet {
  const reader = new Reader(bytes)
  if (readRmcpHeader(reader) === 'asf') return { format: 'asf', ...readAsf(reader) }
  const authType = reader.u8()
  return authType === RMCPP ? read20(reader) : read15(reader, authType)
}

export function encodePacket(packet: Packet): Uint8Array {
  const writer = new Writer(128)
  if (packet.format === 'asf') return writeAsf(writeRmcpHeader(writer, 'asf'), packet).finish()
  writeRmcpHeader(writer, 'ipmi')
  if (packet.format === '1.5') write15(writer, packet)
  else write20(writer, packet)
  return writer.finish()
}

/** A session-less payload in an RMCP+ wrapper: the handshake, and commands that need no session. */
export function plainPacket(payloadType: number, payload: Uint8Array): Packet20 {
  const empty = new Uint8Array(0)
  return {
    format: '2.0',
    payloadType,
    encrypted: false,
    authenticated: false,
    sessionId: 0,
    sequence: 0,
    payload,
    trailer: empty,
  }
}

function read15(reader: Reader, authType: number): Packet15 {
  // §13.6: none, MD2, MD5, straight password, OEM; 3 is reserved.
  if (![0, 1, 2, 4, 5].includes(authType)) throw new WireError(`IPMI authentication type ${authType} is not defined`)
  const sequence = reader.u32le()
  const sessionId = reader.u32le()
  const authCode = authType === 0 ? undefined : reader.bytes(16)
  // Some BMCs add a "legacy pad" byte after the payload, so what follows it is let be.
  const payload = reader.bytes(reader.u8())
  return { format: '1.5', authType, sequence, sessionId, ...(authCode && { authCode }), payload }
}

function write15(writer: Writer, packet: Packet15): void {
  writer.u8(packet.authType).u32le(packet.sequence).u32le(packet.sessionId)
  if (packet.authCode) writer.padded(packet.authCode, 16)
  writer.u8(packet.payload.length).bytes(packet.payload)
}

function read20(reader: Reader): Packet20 {
  const type = reader.u8()
  const payloadType = type & 0x3f
  if (payloadType === OEM_EXPLICIT) throw new WireError('OEM payloads are not spoken here')
  const sessionId = reader.u32le()
  const sequence = reader.u32le()
  const length = reader.u16le()
  if (length > MAX_PAYLOAD) throw new WireError(`a payload of ${length} bytes; ${MAX_PAYLOAD} is the most`)
  return {
    format: '2.0',
    payloadType,
    encrypted: (type & ENCRYPTED) !== 0,
    authenticated: (type & AUTHENTICATED) !== 0,
    sessionId,
    sequence,
    payload: reader.bytes(length),
    trailer: reader.rest(),
  }
}

function write20(writer: Writer, packet: Packet20): void {
  const flags = (packet.encrypted ? ENCRYPTED : 0) | (packet.authenticated ? AUTHENTICATED : 0)
  writer
    .u8(RMCPP)
    .u8(packet.payloadType | flags)
    .u32le(packet.sessionId)
    .u32le(packet.sequence)
    .u16le(packet.payload.length)
    .bytes(packet.payload)
    .bytes(packet.trailer)
}
