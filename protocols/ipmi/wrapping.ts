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
}

export function rmcpPlusWrapping(
  keys: SessionKeys,
  { bmcId, consoleId }: { bmcId: number; consoleId: number },
  random: Random,
): Wrapping {
  const outbound = new SequenceCounter()
  const inbound = new SequenceWindow()
  return {
    heardAs: consoleId,
    bmcId,
    wrap: (message) => seal(keys, { sessionId: bmcId, sequence: outbound.next() }, message, random(16)),
    unwrap(packet, bytes) {
      if (packet.format !== '2.0' || packet.payloadType !== payloadTypes.message) return undefined
      const clear = unseal(keys, packet, bytes)
      if (!inbound.accept(packet.sequence)) throw new WireError('a session sequence number came again')
      return clear
    },
  }
}
