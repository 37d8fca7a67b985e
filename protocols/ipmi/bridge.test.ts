import { beforeEach, describe, expect, test } from 'vitest'
import { createBmc } from './bmc.ts'
import { type Bridge, bridged } from './bridge.ts'
import { readPower, setBootDevice, setPower } from './chassis.ts'
import { connect } from './client.ts'
import { CommandFailed } from './error.ts'
import { getDeviceId } from './commands.ts'
import { decodeMessage, encodeMessage } from './message.ts'
import { hex } from './testing/capture.ts'
import { type PaperChassis, paperChassis } from './testing/paper-chassis.ts'
import { type PaperNet, paperNet } from './testing/paper-net.ts'
import { type VirtualClock, virtualClock } from './testing/virtual-clock.ts'

const single: Bridge = { target: { channel: 0, address: 0x82 } }
const dual: Bridge = { target: { channel: 7, address: 0x72 }, transit: { channel: 0, address: 0x82 }, local: 0x20 }

let clock: VirtualClock
let chassis: { bmc: PaperChassis; blade: PaperChassis; card: PaperChassis }
let net: PaperNet

beforeEach(() => {
  clock = virtualClock()
  chassis = { bmc: paperChassis(), blade: paperChassis(), card: paperChassis() }
  const onError = (error: unknown): never => {
    throw error
  }
  const users = [{ name: 'admin', password: 'secret', privilege: 'administrator' }] as const
  const card = { channel: 7, address: 0x72, chassis: chassis.card }
  const satellites = [{ channel: 0, address: 0x82, chassis: chassis.blade, satellites: [card] }]
  net = paperNet(createBmc({ users, chassis: chassis.bmc, satellites, clock, ipmi15: true, onError }))
})

function open(bridge: Bridge | undefined, protocolVersion: '1.5' | '2.0' = '2.0') {
  const login = { username: 'admin', password: 'secret', privilege: 'administrator', timeoutMs: 10_000 } as const
  return clock.run(connect({ socket: net, host: '127.0.0.1', port: 623, clock, ...login, bridge, protocolVersion }))
}

describe.each(['2.0', '1.5'] as const)('by IPMI %s', (version) => {
  test.each([
    ['the BMC itself', undefined, 'bmc'],
    ['a controller behind it', single, 'blade'],
    ['one behind that', dual, 'card'],
  ] as const)('commands reach %s, and no other', async (_name, bridge, whose) => {
    const session = await open(bridge, version)
    await setPower(session, 'on')
    await setBootDevice(session, { device: 'pxe', persistent: true, uefi: true })
    expect(await readPower(session)).toBe('on')
    for (const [name, { told, flags }] of Object.entries(chassis)) {
      expect(told, name).toEqual(name === whose ? ['on'] : [])
      expect(flags.boot.device, name).toBe(name === whose ? 1 : 0)
    }
    await session.close()
    expect(net.bmc.sessions().active).toBe(0)
  })
})

test('a controller that is not there is told as that, by who looked for it', async () => {
  const asked = readPower(await open({ target: { channel: 0, address: 0x84 } }))
  await expect(asked).rejects.toThrow(CommandFailed)
  await expect(asked).rejects.toThrow(/Get Chassis Status, by Send Message: completion code 0x83/)
  const behind = readPower(await open({ ...dual, target: { channel: 7, address: 0x74 } }))
  await expect(behind).rejects.toThrow(/by Send Message: completion code 0x83/)
})

test.each(['to BMC', 'to console'] as const)(
  'a datagram lost %s costs time only, and nothing is done twice',
  async (lossy) => {
    const session = await open(single)
    let count = 0
    net.loses = (direction) => direction === lossy && count++ % 2 === 0
    for (const action of ['on', 'reset', 'off'] as const) await clock.run(setPower(session, action))
    expect(chassis.blade.told).toEqual(['on', 'reset', 'off'])
  },
)

describe('on the wire', () => {
  const asked = { netFn: 6, command: 1, sequence: 5, data: hex('') }
  const device = { netFn: 7, command: 1, sequence: 5, data: hex('00 20 01') }
  const inner = encodeMessage({ ...device, to: 0x20, from: 0x82 })
  const relayed = (data: Uint8Array) => ({ netFn: 7, command: 0x34, sequence: 5, to: 0x81, from: 0x20, data })

  test('a request is a message in a message, as ipmitool writes it', () => {
    expect(bridged(single).write(asked)).toEqual(hex('20 18 c8 81 14 34 40 82 18 66 81 14 01 6a f7'))
  })

  test('by two bridges, two messages in a message, the innermost from where it was said', () => {
    const wire = hex('20 18 c8 81 14 34 40 82 18 66 81 14 34 47 72 18 76 24 14 01 c7 30 ea')
    const written = bridged({ ...dual, local: 0x24 }).write(asked)
    expect([...written.subarray(0, 21)]).toEqual([...wire.subarray(0, 21)])
  })

  test.each([
    ['apart', { ...device, to: 0x81, from: 0x82 }],
    ['inside that of Send Message', relayed(Uint8Array.of(0, ...inner))],
  ])('an answer that comes %s is the answer', (_name, message) => {
    expect(bridged(single).read(message, asked)).toEqual({ data: hex('00 20 01') })
  })

  test.each([
    ['a mere "sent"', relayed(hex('00'))],
    ['the answer to another request', { ...device, sequence: 4, to: 0x81, from: 0x82 }],
    ['one hop more than there are', relayed(Uint8Array.of(0, ...encodeMessage(relayed(Uint8Array.of(0, ...inner)))))],
  ])('%s is not', (_name, message) => {
    expect(bridged(single).read(message, asked)).toBeUndefined()
  })

  test('a refusal on the way says whose it is', () => {
    expect(bridged(single).read(relayed(hex('83')), asked)).toEqual({ data: hex('83'), by: 'Send Message' })
  })
})

test('one part of a BMC is addressed where that is asked for: this BMC has only one', async () => {
  const session = await open(undefined)
  await expect(clock.run(session.send(getDeviceId, undefined, { lun: 0 }))).resolves.toBeDefined()
  const other = clock.run(session.send(getDeviceId, undefined, { lun: 1 }))
  await expect(other).rejects.toThrow(/completion code 0xc2: command invalid for the LUN/)
})

test('behind a BMC it is a part of the target, and not of those on the way', () => {
  const asked = { netFn: 0x04, lun: 1, command: 0x2d, sequence: 1, data: Uint8Array.of(7) }
  const outer = decodeMessage(bridged(dual).write(asked))
  const transit = decodeMessage(outer.data.subarray(1))
  const target = decodeMessage(transit.data.subarray(1))
  expect([outer.lun, transit.lun, target.lun]).toEqual([0, 0, 1])
})
