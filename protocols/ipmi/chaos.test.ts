import { describe, expect, test } from 'vitest'
import { createBmc } from './bmc.ts'
import { readPower, setPower } from './chassis.ts'
import { connect, type ConnectOptions } from './client.ts'
import { IncorrectPassword, type IpmiError, NoSupportedCipherSuite, TransportTimeout } from './error.ts'
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
