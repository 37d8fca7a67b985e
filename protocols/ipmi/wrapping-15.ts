import { createHash } from 'node:crypto'
import { WireError } from '@bloomery/wire/error.ts'
import { Writer } from '@bloomery/wire/writer.ts'
import { sameCode } from './crypto.ts'
import { encodePacket } from './packet.ts'
import { SequenceCounter, SequenceWindow } from './sequence.ts'
import type { Wrapping } from './wrapping.ts'

/** IPMI 2.0 §13.6, the only type of those that needs a secret and doesn't send it. */
export const MD5 = 0x02
const NONE = 0x00
/** §22.17.1: IPMI 1.5 keeps passwords in 16 bytes. */
export const MAX_PASSWORD_15 = 16

/** §22.17.1: MD5(password, session id, message, sequence number, password). */
export function authCode(password: Uint8Array, sessionId: number, sequence: number, message: Uint8Array): Uint8Array {
  const writer = new Writer(128).padded(password, MAX_PASSWORD_15).u32le(sessionId).bytes(message)
  return createHash('md5').update(writer.u32le(sequence).padded(password, MAX_PASSWORD_15).finish()).digest()
}

/** Before there is a session: nothing is proved. */
export const sessionless: Wrapping = {
  heardAs: 0,
  bmcId: 0,
  wrap: (payload) => encodePacket({ format: '1.5', authType: NONE, sequence: 0, sessionId: 0, payload }),
  unwrap: (packet) => (packet.format === '1.5' ? packet.payload : undefined),
}

/** While it is being activated (§22.17): under its temporary id, and not yet numbered. */
export function activationWrapping(password: Uint8Array, sessionId: number): Wrapping {
  return {
    heardAs: sessionId,
    bmcId: sessionId,
    ...md5(
      password,
      sessionId,
      () => 0,
      () => true,
    ),
  }
}

/** `first` is the number with which the BMC wants to be addressed first. */
export function md5Wrapping(password: Uint8Array, sessionId: number, first: number): Wrapping {
  const outbound = new SequenceCounter((first - 1) >>> 0)
  const inbound = new SequenceWindow()
  const next = (): number => outbound.next()
  return { heardAs: sessionId, bmcId: sessionId, ...md5(password, sessionId, next, (number) => inbound.accept(number)) }
}

function md5(
  password: Uint8Array,
  sessionId: number,
  next: () => number,
  accept: (sequence: number) => boolean,
): Pick<Wrapping, 'wrap' | 'unwrap'> {
  return {
    wrap(payload) {
      const sequence = next()
      const code = authCode(password, sessionId, sequence, payload)
      return encodePacket({ format: '1.5', authType: MD5, sequence, sessionId, authCode: code, payload })
    },
    unwrap(packet) {
      if (packet.format !== '1.5') return undefined
      const { authType, sequence, payload } = packet
      if (authType !== MD5 || !packet.authCode) throw new WireError('a packet without proof, inside a session of MD5')
      if (!sameCode(packet.authCode, authCode(password, sessionId, sequence, payload)))
        throw new WireError("the packet's MD5 code is wrong")
      if (!accept(sequence)) throw new WireError('a session sequence number came again')
      return payload
    },
  }
}
