import { describe, expect, test } from 'vitest'
import { createBmc } from './bmc.ts'
import { readPower, setPower } from './chassis.ts'
import { connect, type ConnectOptions } from './client.ts'
import { CommandFailed, IncorrectPassword, IpmiError, NoSupportedCipherSuite, TransportTimeout } from './error.ts'
import { decodePacket, encodePacket, payloadTypes } from './packet.ts'
import { paperChassis } from './testing/paper-chassis.ts'
import { paperNet } from './testing/paper-net.ts'
import { virtualClock } from './testing/virtual-clock.ts'
import { weather } from './testing/weather.ts'

const users = [{ name: 'admin', password: 'secret', privilege: 'administrator' }] as const
const login = { username: 'admin', password: 'secret', privilege: 'administrator', timeoutMs: 20_000 } as const

function begin(changes: Partial<ConnectOptions> = {}) {
  const clock = virtualClock()
  const chassis = paperChassis()
  const onError = (error: unknown): never => {
    throw error
  }
  const bmc = () => createBmc({ users, chassis, clock, onError, ipmi15: true, cipherSuites: [17, 3, 7, 2] })
  const net = paperNet(bmc())
  const open = () => clock.run(connect({ socket: net, host: '127.0.0.1', port: 623, clock, ...login, ...changes }))
  return { clock, chassis, net, open, anotherBmc: () => (net.bmc = bmc()) }
}

const protocols = [
  ['suite 17', { cipherSuite: 17 }],
  ['suite 3', { cipherSuite: 3 }],
  ['suite 7', { cipherSuite: 7 }],
  ['IPMI 1.5', { protocolVersion: '1.5' }],
] as const

describe.each(protocols)('by %s', (_name, changes) => {
  test.each(Object.keys(weather))(
    'with %s once logged in, each command is done once and its answer is true',
    async (name) => {
      const { clock, chassis, net, open } = begin(changes)
      const session = await open()
      weather[name]!(net)
      for (const action of ['on', 'reset', 'off', 'on'] as const) {
        await clock.run(setPower(session, action))
        expect(await clock.run(readPower(session))).toBe(action === 'off' ? 'off' : 'on')
      }
      expect(chassis.told).toEqual(['on', 'reset', 'off', 'on'])
    },
  )

  test('a session that the BMC lost is opened anew within the same command', async () => {
    const { clock, chassis, open, anotherBmc } = begin(changes)
    const session = await open()
    anotherBmc()
    await clock.run(setPower(session, 'on'))
    expect(chassis.told).toEqual(['on'])
  })

  test('silence ends with who, what and where to look', async () => {
    const { clock, net, open } = begin(changes)
    const session = await open()
    net.loses = () => true
    const asked = clock.run(readPower(session))
    await expect(asked).rejects.toThrow(TransportTimeout)
    await expect(asked).rejects.toThrow(/^BMC 127\.0\.0\.1:623, .+: no answer within 20 s; check its address/)
  })

  test('a wrong password is told as one', async () => {
    const { open } = begin({ ...changes, password: 'guess' })
    await expect(open()).rejects.toThrow(IncorrectPassword)
  })
})

test.each(['every second request lost', 'every second answer lost', 'every answer doubled'])(
  'with %s from the start, RMCP+ logs in',
  async (name) => {
    const { clock, net, open } = begin()
    weather[name]!(net)
    expect(await clock.run(readPower(await open()))).toBe('off')
  },
)

test('a suite that the BMC lacks is told, with those that were tried', async () => {
  const error = await begin({ cipherSuite: 16 })
    .open()
    .catch((caught: IpmiError) => caught)
  expect(error).toBeInstanceOf(NoSupportedCipherSuite)
  expect((error as IpmiError).message).toMatch(/accepts none of the cipher suites 16.*Enable one of them/)
})

/** Has each answer of that kind changed on its way. */
function forge(net: ReturnType<typeof begin>['net'], kind: number, change: (payload: Uint8Array) => Uint8Array): void {
  const { bmc } = net
  const forged = (answer: Uint8Array): Uint8Array => {
    const packet = decodePacket(answer)
    if (packet.format !== '2.0' || packet.payloadType !== kind) return answer
    return encodePacket({ ...packet, payload: change(Uint8Array.from(packet.payload)) })
  }
  net.bmc = {
    ...bmc,
    async receive(bytes, send) {
      const answer = await bmc.receive(bytes, send)
      return answer && forged(answer)
    },
  }
}

const lastByte = (payload: Uint8Array): Uint8Array =>
  payload.map((byte, at) => (at === payload.length - 1 ? byte ^ 1 : byte))
const refusal = (status: number) => (payload: Uint8Array) =>
  Uint8Array.of(payload[0]!, status, 0, 0, ...payload.subarray(4, 8))

test.each<[string, number, (payload: Uint8Array) => Uint8Array, RegExp]>([
  ['a wrong code in RAKP 2', payloadTypes.rakp2, lastByte, /RAKP 1: incorrect password for user "admin"; correct it/],
  ['a wrong code in RAKP 4', payloadTypes.rakp4, lastByte, /RAKP 3: the BMC's key \(Kg\) is another.*; give it/],
  ['a refusal in RAKP 4', payloadTypes.rakp4, refusal(0x0f), /RAKP 3: incorrect password .*; correct it/],
  ['a session id that the BMC forgot', payloadTypes.rakp4, refusal(0x02), /RAKP 3: .*invalid session ID; check user/],
  ['a refused name', payloadTypes.rakp2, refusal(0x0d), /RAKP 1: the BMC has no user "admin".*; correct the name/],
  ['a refused role', payloadTypes.rakp2, refusal(0x0a), /RAKP 1: user "admin" may not .*; raise it on the BMC/],
  ['no room for a session', payloadTypes.openSessionResponse, refusal(0x01), /insufficient resources.*; end other/],
  ['RAKP 2 cut short', payloadTypes.rakp2, (whole) => whole.subarray(0, 20), /RAKP 1: the answer is not.*; try again/],
])('%s ends with who, what and what to do, and without the password', async (_name, kind, change, why) => {
  const { net, open } = begin({ cipherSuite: 17 })
  forge(net, kind, change)
  const error = await open().catch((caught: unknown) => caught)
  expect(error).toBeInstanceOf(IpmiError)
  const { message } = error as IpmiError
  expect(message).toMatch(/^BMC 127\.0\.0\.1:623, /)
  expect(message).toMatch(why)
  expect(message).not.toContain('secret')
})

test.each([
  [0xc0, /node busy; try again/],
  [0xc1, /unsupported command; this BMC does not have it/],
  [0xd4, /insufficient privilege; raise/],
  [0xd5, /not supported in present state; look at/],
  [0x81, /a code of this command's own; see/],
])('completion code %i says what to do', (code, why) => {
  expect(new CommandFailed({ host: 'h', port: 623, operation: 'Chassis Control' }, code).message).toMatch(why)
})
