import { WireError } from '@bloomery/wire/error.ts'
import { Writer } from '@bloomery/wire/writer.ts'
import { decrypt, encrypt, integrityCode, integrityLength, sameCode, type SessionKeys } from './crypto.ts'
import { encodePacket, type Packet20, payloadTypes } from './packet.ts'

const NEXT_HEADER = 0x07
/** The RMCP header is not signed; from the authentication type to "next header" everything is (IPMI 2.0 §13.28.4). */
const SIGNED_FROM = 4
const SESSION_HEADER = 12

/** A datagram that carries one IPMI message or another payload, encrypted and signed as far as the session's cipher suite does. */
export function seal(
  keys: SessionKeys,
  header: { sessionId: number; sequence: number; payloadType?: number },
  message: Uint8Array,
  iv: Uint8Array,
): Uint8Array {
  const encrypted = encrypts(keys)
  const authenticated = signs(keys)
  const payload = encrypted ? encrypt(keys, message, iv) : message
  const pad = -(SESSION_HEADER + payload.length + 2) & 3
  const packet: Packet20 = {
    format: '2.0',
    encrypted,
    authenticated,
    sessionId: header.sessionId,
    sequence: header.sequence,
    payloadType: header.payloadType ?? payloadTypes.message,
    payload,
    trailer: authenticated ? Uint8Array.of(...new Uint8Array(pad).fill(0xff), pad, NEXT_HEADER) : new Uint8Array(0),
  }
  const unsigned = encodePacket(packet)
  if (!authenticated) return unsigned
  const code = integrityCode(keys, unsigned.subarray(SIGNED_FROM))
  return new Writer(unsigned.length + code.length).bytes(unsigned).bytes(code).finish()
}

/** The message inside, once its signature proved right. `bytes` is the whole datagram that `packet` was decoded from. */
export function unseal(keys: SessionKeys, packet: Packet20, bytes: Uint8Array): Uint8Array {
  if ((signs(keys) && !packet.authenticated) || (encrypts(keys) && !packet.encrypted))
    throw new WireError('a packet in the clear, inside a protected session')
  if (!encrypts(keys) && packet.encrypted) throw new WireError('an encrypted packet in a session that agreed on none')
  if (signs(keys)) verify(keys, packet, bytes)
  return encrypts(keys) ? decrypt(keys, packet.payload) : packet.payload
}

function signs(keys: SessionKeys): boolean {
  return keys.suite.integrity !== 0
}

function encrypts(keys: SessionKeys): boolean {
  return keys.suite.confidentiality !== 0
}

function verify(keys: SessionKeys, { trailer }: Packet20, bytes: Uint8Array): void {
  const length = integrityLength(keys.suite)
  if (trailer.length < length + 2) throw new WireError(`a session trailer of ${trailer.length} bytes`)
  const code = trailer.subarray(trailer.length - length)
  const signed = bytes.subarray(SIGNED_FROM, bytes.length - length)
  if (!sameCode(integrityCode(keys, signed), code)) throw new WireError('the session signature is wrong')
}
