import { WireError } from '@bloomery/wire/error.ts'
import type { SessionKeys } from './crypto.ts'
import { type Packet, payloadTypes } from './packet.ts'
import type { Random } from './random.ts'
import { seal, unseal } from './seal.ts'
import { SequenceCounter, SequenceWindow } from './sequence.ts'

/** How the messages of one session are put into datagrams and taken out of them: by RMCP+, or by IPMI 1.5 (session-15.ts). */
export interface Wrapping {
  /** The session id that the BMC's packets bear. */
  readonly heardAs: number
  /** The BMC's own id of the session, by which it is closed. */
  readonly bmcId: number
  /** Anew for each transmission: session sequence numbers never repeat. */
  wrap(message: Uint8Array): Uint8Array
  /** Undefined or a WireError: not a message of this session. */
  unwrap(packet: Packet, bytes: Uint8Array): Uint8Array | undefined
  /** Payloads other than messages (IPMI 2.0 §13.27.3), which share the session's numbers; IPMI 1.5 has none. */
  readonly payloads?: {
    readonly encrypted: boolean
    readonly authenticated: boolean
    wrap(type: number, payload: Uint8Array): Uint8Array
    unwrap(type: number, packet: Packet, bytes: Uint8Array): Uint8Array | undefined
  }
}

export function rmcpPlusWrapping(
  keys: SessionKeys,
  { bmcId, consoleId }: { bmcId: number; consoleId: number },
  random: Random,
): Wrapping {
  const outbound = new SequenceCounter()
  const inbound = new SequenceWindow()
  const wrap = (payloadType: number, payload: Uint8Array): Uint8Array =>
    seal(keys, { sessionId: bmcId, sequence: outbound.next(), payloadType }, payload, random(16))
  const unwrap = (type: number, packet: Packet, bytes: Uint8Array): Uint8Array | undefined => {
    if (packet.format !== '2.0' || packet.payloadType !== type) return undefined
    const clear = unseal(keys, packet, bytes)
    if (!inbound.accept(packet.sequence)) throw new WireError('a session sequence number came again')
    return clear
  }
  return {
    heardAs: consoleId,
    bmcId,
    wrap: (message) => wrap(payloadTypes.message, message),
    unwrap: (packet, bytes) => unwrap(payloadTypes.message, packet, bytes),
    payloads: {
      encrypted: keys.suite.confidentiality !== 0,
      authenticated: keys.suite.integrity !== 0,
      wrap,
      unwrap,
    },
  }
}
