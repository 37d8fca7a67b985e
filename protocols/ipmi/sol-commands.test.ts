import { expect, test } from 'vitest'
import { decodeWith, encodeWith } from './command.ts'
import type { Codec } from './fields.ts'
import * as commands from './sol-commands.ts'
import * as parameters from './sol-parameters.ts'
import { hex } from './testing/capture.ts'

interface Row {
  name: string
  codec: Codec<unknown>
  value: unknown
  wire: string
}
function row<T>(name: string, codec: Codec<T>, value: T, wire: string): Row {
  return { name, codec: codec as Codec<unknown>, value, wire }
}

const which = { type: { payload: 1 }, instance: { number: 1 } }
const reserved = new Uint8Array(3)

const rows: Row[] = [
  row(
    'Activate Payload, SOL, encrypted and authenticated',
    commands.activatePayload.request,
    {
      ...which,
      sol: { handshake: false, alerts: 0, test: false, authenticated: true, encrypted: true },
      reserved,
    },
    '01 01 c0 000000',
  ),
  row(
    'Activate Payload, as ipmitool asks',
    commands.activatePayload.request,
    {
      ...which,
      sol: { handshake: true, alerts: 1, test: false, authenticated: true, encrypted: true },
      reserved,
    },
    '01 01 c6 000000',
  ),
  row(
    'an activated payload',
    commands.activatePayload.response,
    { auxiliary: 0, inbound: 259, outbound: 200, port: 623, vlan: 0xffff },
    '00000000 0301 c800 6f02 ffff',
  ),
  row('Deactivate Payload', commands.deactivatePayload.request, { ...which, auxiliary: 0 }, '01 01 00000000'),
  row(
    'an activation status: one of one',
    commands.getPayloadActivationStatus.response,
    { capacity: { most: 1 }, active: 1 },
    '01 0100',
  ),
  row(
    'who has the payload',
    commands.getPayloadInstanceInfo.response,
    { session: 0x1234_5678, serialPort: 1, reserved: new Uint8Array(7) },
    '78563412 01 00000000000000',
  ),
  row(
    'payloads of a channel: messages, SOL, a log-in’s six',
    commands.getChannelPayloadSupport.response,
    {
      standard: { message: true, sol: true, oem: false },
      standard8: 0,
      setup: 0x3f,
      setup8: 0,
      oem: new Uint8Array(4),
    },
    '03 00 3f 00 00000000',
  ),
  row('SOL 1.0', commands.getChannelPayloadVersion.response, { version: { major: 1, minor: 0 } }, '10'),
  row(
    'Set SOL Configuration Parameters',
    commands.setSolConfiguration.request,
    { channel: { number: 14 }, selector: 6, data: hex('0a') },
    '0e 06 0a',
  ),
  row(
    'Get SOL Configuration Parameters',
    commands.getSolConfiguration.request,
    { channel: { number: 14, revisionOnly: false }, selector: 1, set: 0, block: 0 },
    '0e 01 00 00',
  ),
  row(
    'parameter 2: operators, encrypted',
    parameters.solAuthentication.data,
    { need: { privilege: 3, authentication: true, encryption: true } },
    'c3',
  ),
  row('parameter 3: 60 ms or 96', parameters.solAccumulation.data, { intervalMs: 60, threshold: 96 }, '0c 60'),
  row(
    'parameter 4: 7 times, each 500 ms',
    parameters.solRetry.data,
    { retries: { count: 7 }, intervalMs: 500 },
    '07 32',
  ),
  row('parameter 6: 115200 bit/s', parameters.solBitRate.data, 115_200, '0a'),
  row('parameter 8: the port', parameters.solPort.data, 623, '6f02'),
]

test.each(rows)('$name', ({ codec, value, wire }) => {
  expect(decodeWith(codec, hex(wire))).toEqual(value)
  expect(encodeWith(codec, value)).toEqual(hex(wire))
})

test('what the BMC can’t mean is refused: a bit rate that is none, a pause of no time', () => {
  expect(() => decodeWith(parameters.solBitRate.data, hex('0f'))).toThrow(/15 is no bit rate/)
  expect(() => encodeWith(parameters.solAccumulation.data, { intervalMs: 0, threshold: 1 })).toThrow(
    /0 ms is not between/,
  )
})
