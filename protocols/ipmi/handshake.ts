import type { CipherSuite } from './cipher-suite.ts'
import {
  deriveKeys,
  type Exchange,
  rakp2Code,
  rakp3Code,
  rakp4Code,
  sameCode,
  sessionIntegrityKey,
  type SessionKeys,
} from './crypto.ts'
import { payloadTypes } from './packet.ts'
import {
  decodeOpenSessionResponse,
  decodeRakp2,
  decodeRakp4,
  encodeOpenSessionRequest,
  encodeRakp1,
  encodeRakp3,
  isAccepted,
  NAME_ONLY,
} from './rakp.ts'
import { statusCodes } from './status-code.ts'

export interface HandshakeInput {
  suite: CipherSuite
  username: Uint8Array
  password: Uint8Array
  /** The BMC's own key; a user's password serves where there is none. */
  kg?: Uint8Array
  privilege: number
  /** The user is looked up by name and privilege; else by the name alone, as every peer does. */
  byPrivilege?: boolean
  /** Comes back in every answer, with the console id: together they tell whose it is. */
  tag: number
  consoleId: number
  consoleRandom: Uint8Array
}

/** What to send next, and which payload answers it. */
export interface HandshakeStep {
  operation: 'Open Session' | 'RAKP 1' | 'RAKP 3'
  payloadType: number
  payload: Uint8Array
  /** Undefined: this is the last word, nothing answers it. */
  answer?: number
}

export type HandshakeResult =
  | { result: 'open'; keys: SessionKeys; bmcId: number }
  | { result: 'refused'; operation: HandshakeStep['operation']; status: number }
  | { result: 'wrong password' }
  | { result: 'wrong BMC key' }

/** The console's side of IPMI 2.0 §13.17–13.23, top to bottom. Yields what to send, takes the payload that answers. Repeating
 * what got lost is the caller's. A malformed answer is a WireError. */
export function* handshake(input: HandshakeInput): Generator<HandshakeStep, HandshakeResult, Uint8Array> {
  const { suite, tag, consoleId, consoleRandom, username, password, privilege } = input

  const opened = decodeOpenSessionResponse(
    yield {
      operation: 'Open Session',
      payloadType: payloadTypes.openSessionRequest,
      payload: encodeOpenSessionRequest({ tag, privilege, consoleId, algorithms: suite }),
      answer: payloadTypes.openSessionResponse,
    },
  )
  if (!isAccepted(opened)) return { result: 'refused', operation: 'Open Session', status: opened.status }
  if (!sameAlgorithms(opened.algorithms, suite)) {
    return { result: 'refused', operation: 'Open Session', status: statusCodes.noCipherSuiteMatch }
  }

  const { bmcId } = opened
  const role = (input.byPrivilege ? 0 : NAME_ONLY) | privilege
  const rakp2 = decodeRakp2(
    yield {
      operation: 'RAKP 1',
      payloadType: payloadTypes.rakp1,
      payload: encodeRakp1({ tag, bmcId, consoleRandom, role, username }),
      answer: payloadTypes.rakp2,
    },
  )
  if (!isAccepted(rakp2)) return { result: 'refused', operation: 'RAKP 1', status: rakp2.status }

  const { bmcRandom, bmcGuid } = rakp2
  const exchange: Exchange = { consoleId, bmcId, consoleRandom, bmcRandom, bmcGuid, role, username }
  const rakp3 = (status: number, code: Uint8Array, answer?: number): HandshakeStep => {
    const payload = encodeRakp3({ tag, status, bmcId, code })
    return { operation: 'RAKP 3', payloadType: payloadTypes.rakp3, payload, answer }
  }
  if (!sameCode(rakp2.code, rakp2Code(suite, password, exchange))) {
    // §13.22: telling the BMC frees its half-open session.
    yield rakp3(statusCodes.invalidIntegrityCheckValue, new Uint8Array(0))
    return { result: 'wrong password' }
  }

  const rakp4 = decodeRakp4(yield rakp3(statusCodes.ok, rakp3Code(suite, password, exchange), payloadTypes.rakp4))
  if (rakp4.status !== 0) return { result: 'refused', operation: 'RAKP 3', status: rakp4.status }
  const sik = sessionIntegrityKey(suite, input.kg ?? password, exchange)
  // RAKP 2 has shown that the password is right, so it is Kg that differs.
  if (!sameCode(rakp4.code, rakp4Code(suite, sik, exchange))) return { result: 'wrong BMC key' }
  return { result: 'open', keys: deriveKeys(suite, sik, password), bmcId }
}

function sameAlgorithms(a: Omit<CipherSuite, 'id'>, b: Omit<CipherSuite, 'id'>): boolean {
  return a.authentication === b.authentication && a.integrity === b.integrity && a.confidentiality === b.confidentiality
}
