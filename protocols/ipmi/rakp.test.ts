import { WireError } from '@bloomery/wire/error.ts'
import { expect, test } from 'vitest'
import * as rakp from './rakp.ts'
import { hex } from './testing/capture.ts'

const console = '44332211'
const bmc = '88776655'
const sixteen = '000102030405060708090a0b0c0d0e0f'
const algorithms = { authentication: 3, integrity: 4, confidentiality: 1 }
const payloads = '00 0000 08 03 000000  01 0000 08 04 000000  02 0000 08 01 000000'

interface Row<M> {
  name: string
  encode(message: M): Uint8Array
  decode(bytes: Uint8Array): M
  message: M
  wire: string
}
function row<M>(
  name: string,
  encode: Row<M>['encode'],
  decode: Row<M>['decode'],
  message: M,
  wire: string,
): Row<unknown> {
  return { name, encode, decode, message, wire } as Row<unknown>
}

const ids = { consoleId: 0x11223344, bmcId: 0x55667788 }
const { consoleId, bmcId } = ids

const rows = [
  row(
    'Open Session Request',
    rakp.encodeOpenSessionRequest,
    rakp.decodeOpenSessionRequest,
    { tag: 1, privilege: 4, consoleId, algorithms },
    `01 04 0000 ${console} ${payloads}`,
  ),
  row(
    'Open Session Response',
    rakp.encodeOpenSessionResponse,
    rakp.decodeOpenSessionResponse,
    { tag: 1, status: 0, privilege: 4, ...ids, algorithms },
    `01 00 04 00 ${console} ${bmc} ${payloads}`,
  ),
  row(
    'Open Session Response that refuses',
    rakp.encodeOpenSessionResponse,
    rakp.decodeOpenSessionResponse,
    { tag: 1, status: 0x11, consoleId },
    `01 11 0000 ${console}`,
  ),
  row(
    'RAKP 1',
    rakp.encodeRakp1,
    rakp.decodeRakp1,
    { tag: 2, bmcId, consoleRandom: hex(sixteen), role: 0x14, username: new Uint8Array(Buffer.from('root')) },
    `02 000000 ${bmc} ${sixteen} 14 0000 04 726f6f74`,
  ),
  row(
    'RAKP 1 of the null user',
    rakp.encodeRakp1,
    rakp.decodeRakp1,
    { tag: 2, bmcId, consoleRandom: hex(sixteen), role: 0x14, username: hex('') },
    `02 000000 ${bmc} ${sixteen} 14 0000 00`,
  ),
  row(
    'RAKP 2',
    rakp.encodeRakp2,
    rakp.decodeRakp2,
    { tag: 2, status: 0, consoleId, bmcRandom: hex(sixteen), bmcGuid: hex('ff'.repeat(16)), code: hex('aabb') },
    `02 00 0000 ${console} ${sixteen} ${'ff'.repeat(16)} aabb`,
  ),
  row(
    'RAKP 2 that refuses',
    rakp.encodeRakp2,
    rakp.decodeRakp2,
    { tag: 2, status: 0x0d, consoleId },
    `02 0d 0000 ${console}`,
  ),
  row(
    'RAKP 3',
    rakp.encodeRakp3,
    rakp.decodeRakp3,
    { tag: 3, status: 0, bmcId, code: hex('aabb') },
    `03 00 0000 ${bmc} aabb`,
  ),
  row(
    'RAKP 4',
    rakp.encodeRakp4,
    rakp.decodeRakp4,
    { tag: 3, status: 0x0f, consoleId, code: hex('') },
    `03 0f 0000 ${console}`,
  ),
]

test.each(rows)('$name is written and read', ({ encode, decode, message, wire }) => {
  expect(encode(message)).toEqual(hex(wire))
  expect(decode(hex(wire))).toEqual(message)
})

test.each(rows)('$name cut short in its fixed fields is a WireError', ({ decode, wire }) => {
  for (let length = 0; length < Math.min(hex(wire).length, 8); length += 1) {
    const cut = hex(wire).subarray(0, length)
    const refuses = cut.length >= 2 && cut[1] !== 0 && !wire.startsWith('01 04')
    if (!refuses) expect(() => decode(cut)).toThrow(WireError)
  }
})

test('a refusal of tag and status alone, as ipmi_sim sends it, is a refusal', () => {
  expect(rakp.decodeOpenSessionResponse(hex('07 04'))).toEqual({ tag: 7, status: 4, consoleId: 0 })
})

test.each([
  [
    'algorithm payloads out of order',
    () => rakp.decodeOpenSessionRequest(hex(`01 04 0000 ${console} 01 0000 08 01 000000`)),
  ],
  ['a user name of 17 bytes', () => rakp.decodeRakp1(hex(`02 000000 ${bmc} ${sixteen} 14 0000 11 ${'61'.repeat(17)}`))],
  ['a user name shorter than its length', () => rakp.decodeRakp1(hex(`02 000000 ${bmc} ${sixteen} 14 0000 05 61`))],
  ['RAKP 2 without a GUID', () => rakp.decodeRakp2(hex(`02 00 0000 ${console} ${sixteen}`))],
])('%s is a WireError', (_name, decode) => {
  expect(decode).toThrow(WireError)
})
