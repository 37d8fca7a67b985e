import { WireError } from '@bloomery/wire/error.ts'
import { Reader } from '@bloomery/wire/reader.ts'
import { Writer } from '@bloomery/wire/writer.ts'
import type { CipherSuite } from './cipher-suite.ts'
import { MAX_USERNAME } from './crypto.ts'

type Algorithms = Pick<CipherSuite, 'authentication' | 'integrity' | 'confidentiality'>

/** IPMI 2.0 §13.17 | tag | max privilege, 0 = highest | 0 0 | console id LE4 | three algorithm payloads of 8 | */
export interface OpenSessionRequest {
  tag: number
  privilege: number
  consoleId: number
  algorithms: Algorithms
}

/** §13.18. A refusal ends after the console id. */
export type OpenSessionResponse =
  | { tag: number; status: 0; privilege: number; consoleId: number; bmcId: number; algorithms: Algorithms }
  | Refusal

export interface Refusal {
  tag: number
  status: number
  /** 0 where the BMC left it off: some refuse with tag and status alone. */
  consoleId: number
}

/** Bit of the role (§13.20): the user is looked up by name alone. */
export const NAME_ONLY = 0x10

/** §13.20 | tag | 0 0 0 | BMC id LE4 | console random 16 | role | 0 0 | name length | name | */
export interface Rakp1 {
  tag: number
  bmcId: number
  consoleRandom: Uint8Array
  role: number
  username: Uint8Array
}

/** §13.21 | tag | status | 0 0 | console id LE4 | BMC random 16 | GUID 16 | code | */
export type Rakp2 =
  | { tag: number; status: 0; consoleId: number; bmcRandom: Uint8Array; bmcGuid: Uint8Array; code: Uint8Array }
  | Refusal

/** §13.22 | tag | status | 0 0 | BMC id LE4 | code | */
export interface Rakp3 {
  tag: number
  status: number
  bmcId: number
  code: Uint8Array
}

/** §13.23 | tag | status | 0 0 | console id LE4 | integrity check value | */
export interface Rakp4 extends Refusal {
  code: Uint8Array
}

export function encodeOpenSessionRequest(m: OpenSessionRequest): Uint8Array {
  const writer = new Writer(32).u8(m.tag).u8(m.privilege).u16(0).u32le(m.consoleId)
  return writeAlgorithms(writer, m.algorithms).finish()
}

export function decodeOpenSessionRequest(bytes: Uint8Array): OpenSessionRequest {
  const reader = new Reader(bytes)
  const tag = reader.u8()
  const privilege = reader.u8() & 0x0f
  reader.skip(2)
  return { tag, privilege, consoleId: reader.u32le(), algorithms: readAlgorithms(reader) }
}

export function encodeOpenSessionResponse(m: OpenSessionResponse): Uint8Array {
  if (!isAccepted(m)) return refusal(m).finish()
  const writer = new Writer(36).u8(m.tag).u8(0).u8(m.privilege).u8(0).u32le(m.consoleId).u32le(m.bmcId)
  return writeAlgorithms(writer, m.algorithms).finish()
}

export function decodeOpenSessionResponse(bytes: Uint8Array): OpenSessionResponse {
  const reader = new Reader(bytes)
  const { tag, status, id: consoleId } = readHead(reader)
  if (status !== 0) return { tag, status, consoleId }
  const privilege = (bytes[2] ?? 0) & 0x0f
  return { tag, status: 0, privilege, consoleId, bmcId: reader.u32le(), algorithms: readAlgorithms(reader) }
}

export function encodeRakp1(m: Rakp1): Uint8Array {
  const writer = new Writer(44).u8(m.tag).zeros(3).u32le(m.bmcId).padded(m.consoleRandom, 16).u8(m.role).zeros(2)
  return writer.u8(m.username.length).bytes(m.username).finish()
}

export function decodeRakp1(bytes: Uint8Array): Rakp1 {
  const reader = new Reader(bytes)
  const tag = reader.u8()
  reader.skip(3)
  const bmcId = reader.u32le()
  const consoleRandom = reader.bytes(16)
  const role = reader.u8()
  reader.skip(2)
  const length = reader.u8()
  if (length > MAX_USERNAME) throw new WireError(`a user name of ${length} bytes; ${MAX_USERNAME} is the most`)
  return { tag, bmcId, consoleRandom, role, username: reader.bytes(length) }
}

export function encodeRakp2(m: Rakp2): Uint8Array {
  if (!isAccepted(m)) return refusal(m).finish()
  return refusal(m).padded(m.bmcRandom, 16).padded(m.bmcGuid, 16).bytes(m.code).finish()
}

export function decodeRakp2(bytes: Uint8Array): Rakp2 {
  const reader = new Reader(bytes)
  const head = readHead(reader)
  if (head.status !== 0) return { tag: head.tag, status: head.status, consoleId: head.id }
  const [bmcRandom, bmcGuid] = [reader.bytes(16), reader.bytes(16)]
  return { tag: head.tag, status: 0, consoleId: head.id, bmcRandom, bmcGuid, code: reader.rest() }
}

export function encodeRakp3(m: Rakp3): Uint8Array {
  return new Writer(40).u8(m.tag).u8(m.status).u16(0).u32le(m.bmcId).bytes(m.code).finish()
}

export function decodeRakp3(bytes: Uint8Array): Rakp3 {
  const reader = new Reader(bytes)
  const { tag, status, id } = readHead(reader)
  return { tag, status, bmcId: id, code: reader.rest() }
}

export function encodeRakp4(m: Rakp4): Uint8Array {
  return refusal(m).bytes(m.code).finish()
}

export function decodeRakp4(bytes: Uint8Array): Rakp4 {
  const reader = new Reader(bytes)
  const { tag, status, id } = readHead(reader)
  return { tag, status, consoleId: id, code: reader.rest() }
}

/** A status other than 0 carries none of the message's other fields. */
export function isAccepted<M extends { status: number }>(message: M): message is Extract<M, { status: 0 }> {
  return message.status === 0
}

function readHead(reader: Reader): { tag: number; status: number; id: number } {
  const [tag, status] = [reader.u8(), reader.u8()]
  if (status !== 0 && reader.remaining < 6) return { tag, status, id: 0 }
  reader.skip(2)
  return { tag, status, id: reader.u32le() }
}

function refusal(m: Refusal): Writer {
  return new Writer(64).u8(m.tag).u8(m.status).u16(0).u32le(m.consoleId)
}

function writeAlgorithms(writer: Writer, algorithms: Algorithms): Writer {
  const payloads = [algorithms.authentication, algorithms.integrity, algorithms.confidentiality]
  for (const [kind, algorithm] of payloads.entries()) writer.u8(kind).u16(0).u8(8).u8(algorithm).zeros(3)
  return writer
}

/** Length 0 means "any": the algorithm is then the reader's to choose, which is here read as none. */
function readAlgorithms(reader: Reader): Algorithms {
  const [authentication, integrity, confidentiality] = [0, 1, 2].map((kind) => {
    const found = reader.u8()
    if (found !== kind) throw new WireError(`algorithm payload ${found} where ${kind} is due`)
    reader.skip(3)
    const algorithm = reader.u8() & 0x3f
    reader.skip(3)
    return algorithm
  })
  return { authentication: authentication ?? 0, integrity: integrity ?? 0, confidentiality: confidentiality ?? 0 }
}
