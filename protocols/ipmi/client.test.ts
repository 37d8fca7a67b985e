import { beforeEach, describe, expect, test } from 'vitest'
import { type Bmc, createBmc } from './bmc.ts'
import { type BmcOptions, Declined } from './bmc-options.ts'
import { readBootDevice, readPower, setBootDevice, setPower } from './chassis.ts'
import { connect, type ConnectOptions, type IpmiSession } from './client.ts'
import * as errors from './error.ts'
import { payloadTypes } from './packet.ts'
import { type PaperChassis, paperChassis } from './testing/paper-chassis.ts'
import { type PaperNet, paperNet } from './testing/paper-net.ts'
import { type VirtualClock, virtualClock } from './testing/virtual-clock.ts'

let clock: VirtualClock
let chassis: PaperChassis
let net: PaperNet

const login = { username: 'admin', password: 'secret-secret', privilege: 'administrator' } as const

function bmcWith(changes: Partial<BmcOptions> = {}): Bmc {
  const users = [{ name: login.username, password: login.password, privilege: login.privilege }]
  const onError = (error: unknown): never => {
    throw error
  }
  return createBmc({ users, chassis, clock, onError, ...changes })
}

function open(changes: Partial<ConnectOptions> = {}): Promise<IpmiSession> {
  const options = { socket: net, host: '127.0.0.1', port: 623, timeoutMs: 10_000, clock, ...login, ...changes }
  return clock.run(connect(options))
}

beforeEach(() => {
  clock = virtualClock()
  chassis = paperChassis()
  net = paperNet(bmcWith())
})

describe('cipher suites', () => {
  test.each([
    ['auto', undefined, 17],
    ['auto', [3], 3],
    ['auto', [3, 17], 17],
    [3, undefined, 3],
    [17, undefined, 17],
  ] as const)('asked for %s of a BMC that has %s, the session uses %i', async (cipherSuite, has, used) => {
    net.bmc = bmcWith(has && { cipherSuites: has })
    const session = await open({ cipherSuite })
    expect(session.cipherSuite).toBe(used)
    expect(await clock.run(readPower(session))).toBe('off')
    // Two questions before there is a session, and only if the choice is open.
    expect(net.sent.filter(({ format }) => format === '1.5')).toHaveLength(cipherSuite === 'auto' ? 2 : 0)
  })

  test('a BMC that ignores the question is tried with each, best first', async () => {
    net.bmc = bmcWith({ cipherSuites: [3] })
    // Both questions before a session are 1.5 packets; the longer one is the cipher suite query.
    net.loses = (direction, packet) => direction === 'to BMC' && packet.format === '1.5' && packet.payload.length > 9
    expect((await open()).cipherSuite).toBe(3)
    expect(clock.now()).toBeLessThan(10_000)
  })

  test('a BMC that has none of those asked for is named, with its offers', async () => {
    net.bmc = bmcWith({ cipherSuites: [3] })
    await expect(open({ cipherSuite: 17 })).rejects.toThrow(errors.NoSupportedCipherSuite)
    await expect(open({ cipherSuite: 17 })).rejects.toThrow(/none of the cipher suites 17/)
  })
})

describe('who may log in', () => {
  test('a wrong password, which no message repeats', async () => {
    const attempt = open({ password: 'wrong-wrong' })
    await expect(attempt).rejects.toThrow(errors.IncorrectPassword)
    await expect(attempt).rejects.toThrow('BMC 127.0.0.1:623, RAKP 1: incorrect password for user "admin"')
    expect(net.bmc.sessions()).toEqual({ pending: 0, active: 0 })
  })

  test('an unknown user', async () => {
    await expect(open({ username: 'root' })).rejects.toThrow(errors.UnauthorizedName)
  })

  test('a user who may not have the privilege', async () => {
    net.bmc = bmcWith({ users: [{ name: 'admin', password: login.password, privilege: 'operator' }] })
    await expect(open()).rejects.toThrow(errors.UnauthorizedRole)
    expect(await clock.run(readPower(await open({ privilege: 'operator' })))).toBe('off')
  })

  test('of two users of one name, the one with the privilege that is asked for, where that is asked for too', async () => {
    const named = { name: 'admin', password: 'for-operators', privilege: 'operator' } as const
    net.bmc = bmcWith({ users: [{ ...named, password: login.password, privilege: 'administrator' }, named] })
    const operator = { password: 'for-operators', privilege: 'operator' } as const
    await expect(open(operator)).rejects.toThrow(errors.IncorrectPassword)
    expect(await clock.run(readPower(await open({ ...operator, lookup: 'name and privilege' })))).toBe('off')
    expect(await clock.run(readPower(await open({ lookup: 'name and privilege' })))).toBe('off')
    await expect(open({ privilege: 'user', lookup: 'name and privilege' })).rejects.toThrow(errors.UnauthorizedName)
  })

  test('a BMC with a key of its own lets in who knows it, and tells who does not', async () => {
    net.bmc = bmcWith({ kg: Buffer.from('kg') })
    expect(await clock.run(readPower(await open({ kg: Buffer.from('kg') })))).toBe('off')
    await expect(open({ kg: Buffer.from('gk') })).rejects.toThrow(errors.IncorrectBmcKey)
    await expect(open()).rejects.toThrow(errors.IncorrectBmcKey)
  })

  test('a password of 21 bytes is refused before anything is sent', async () => {
    await expect(open({ password: 'x'.repeat(21) })).rejects.toThrow('the password has 21 bytes; IPMI allows 20')
    expect(net.sent).toEqual([])
  })

  test('a full BMC is asked again until a slot is free', async () => {
    net.bmc = bmcWith({ limits: { active: 1, idleMs: 3000 } })
    await open({ cipherSuite: 3 })
    const started = clock.now()
    await open({ cipherSuite: 3 })
    expect(clock.now() - started).toBeGreaterThanOrEqual(3000)
    net.bmc = bmcWith({ limits: { active: 0 } })
    await expect(open({ cipherSuite: 3 })).rejects.toThrow(errors.SessionRefused)
  })
})

describe('silence', () => {
  test('of a dead host ends at the deadline, and says whom, what and how long', async () => {
    net.loses = () => true
    const attempt = open({ timeoutMs: 5000 })
    await expect(attempt).rejects.toThrow(errors.TransportTimeout)
    await expect(attempt).rejects.toThrow(/BMC 127\.0\.0\.1:623, Get Channel Auth.*: no answer within 5 s; check/)
    expect(clock.now()).toBe(5000)
    expect(net.sent.length).toBeLessThan(8)
  })

  test('of a network that is down is an error of its own', async () => {
    net.fault = Object.assign(new Error('send ENETUNREACH'), { code: 'ENETUNREACH' })
    await expect(open({ timeoutMs: 2000 })).rejects.toThrow(errors.TransportError)
    expect(clock.now()).toBe(2000)
  })

  test.each(['to BMC', 'to console'] as const)('of every third datagram %s costs time only', async (lossy) => {
    let count = 0
    net.loses = (direction) => direction === lossy && (count += 1) % 3 === 0
    const session = await open({ timeoutMs: 60_000 })
    for (const action of ['on', 'cycle', 'reset', 'off'] as const) await clock.run(setPower(session, action))
    expect(chassis.told).toEqual(['on', 'cycle', 'reset', 'off'])
  })

  test('of a BMC that forgot the session makes for one new log-in', async () => {
    const session = await open({ cipherSuite: 17 })
    net.bmc = bmcWith()
    expect(await clock.run(readPower(session))).toBe('off')
    expect(net.bmc.sessions()).toEqual({ pending: 0, active: 1 })
  })

  test('of a minute on our side makes for a new log-in at once, without waiting', async () => {
    const session = await open({ cipherSuite: 17 })
    clock.pass(61_000)
    expect(await clock.run(readPower(session))).toBe('off')
    expect(clock.now()).toBe(61_000)
  })
})

describe('keep-alive', () => {
  const silence = (ms: number): Promise<void> => clock.run(new Promise<void>((done) => clock.after(ms, done)))

  test('a session of which that was asked is there after minutes of silence, for a few packets; others are forgotten', async () => {
    const kept = await open({ cipherSuite: 17, keepAliveMs: 40_000 })
    const other = await open({ cipherSuite: 17 })
    const before = net.sent.length
    await silence(400_000)
    expect(net.sent.length - before).toBeLessThanOrEqual(10)
    expect(net.bmc.sessions()).toEqual({ pending: 0, active: 1 })
    const logIns = (): number =>
      net.sent.filter((packet) => packet.format === '2.0' && packet.payloadType === payloadTypes.rakp1).length
    const sofar = logIns()
    expect(await clock.run(readPower(kept))).toBe('off')
    expect(logIns()).toBe(sofar)
    expect(await clock.run(readPower(other))).toBe('off')
    expect(logIns()).toBe(sofar + 1)
  })

  test('a BMC that is gone is asked once and then left alone, until somebody wants something of it', async () => {
    const session = await open({ cipherSuite: 17, keepAliveMs: 40_000 })
    net.loses = () => true
    await silence(60_000)
    const asked = net.sent.length
    await silence(300_000)
    expect(net.sent).toHaveLength(asked)
    net.loses = () => false
    expect(await clock.run(readPower(session))).toBe('off')
    const again = net.sent.length
    await silence(120_000)
    expect(net.sent.length).toBeGreaterThan(again)
  })

  test('it ends with the session', async () => {
    const session = await open({ cipherSuite: 17, keepAliveMs: 40_000 })
    await clock.run(session.close())
    const asked = net.sent.length
    await silence(120_000)
    expect(net.sent).toHaveLength(asked)
    expect(net.bmc.sessions()).toEqual({ pending: 0, active: 0 })
  })
})

describe('an answer that is not to this question', () => {
  test('because it is a replay of one to the same number is not believed', async () => {
    const session = await open({ cipherSuite: 17 })
    const answers: Uint8Array[] = []
    net.noise = (answer) => {
      answers.push(answer)
      // Request numbers come round after 64.
      return answers.length > 64 ? [answers[answers.length - 65]!] : []
    }
    for (let poll = 0; poll < 70; poll += 1) {
      if (poll === 64) await clock.run(setPower(session, 'on'))
      else expect(await clock.run(readPower(session))).toBe(poll > 64 ? 'on' : 'off')
    }
  })

  test('because it was late is not believed', async () => {
    const session = await open({ cipherSuite: 17 })
    const bmc = net.bmc
    const late: Uint8Array[] = []
    net.bmc = {
      ...bmc,
      receive: async (bytes) => {
        const answer = await bmc.receive(bytes)
        if (late.length > 0 || !answer) return answer
        late.push(answer)
        return undefined
      },
    }
    expect(await clock.run(readPower(session))).toBe('off')
    await chassis.control('on')
    net.noise = () => late
    expect(await clock.run(readPower(session))).toBe('on')
  })
})

test.each([0xc0, 0xc3, 0xc4, 0xd2])(
  'completion code %i passes: the BMC is asked again until its deadline',
  async (code) => {
    const session = await open()
    let refusals = 3
    const { power } = chassis
    chassis.power = () => (refusals-- > 0 ? Promise.reject(new Declined(code)) : power())
    expect(await clock.run(readPower(session))).toBe('off')
    refusals = Infinity
    const started = clock.now()
    await expect(clock.run(readPower(session))).rejects.toMatchObject({ completionCode: code })
    expect(clock.now() - started).toBeLessThanOrEqual(10_000)
  },
)

test('a BMC without the 60 s parameter still gets its boot device', async () => {
  const sent: number[] = []
  const subject = { host: 'bmc', port: 623, operation: 'Set System Boot Options' }
  const session: Pick<IpmiSession, 'send'> = {
    send: (_command, request) => {
      const { selector } = (request as { parameter: { selector: number } }).parameter
      sent.push(selector)
      return selector === 3
        ? Promise.reject(new errors.CommandFailed(subject, 0x80))
        : Promise.resolve(undefined as never)
    },
  }
  await setBootDevice(session as IpmiSession, { device: 'pxe', persistent: false, uefi: true })
  expect(sent).toEqual([3, 5])
})

test('a kept session asks one packet per question, and closing it frees the slot', async () => {
  const session = await open({ cipherSuite: 17 })
  net.sent.length = 0
  for (let poll = 0; poll < 200; poll += 1) await clock.run(readPower(session))
  expect(net.sent).toHaveLength(200)
  await clock.run(session.close())
  expect(net.bmc.sessions()).toEqual({ pending: 0, active: 0 })
  await expect(readPower(session)).rejects.toThrow(errors.SessionClosed)
})

test('after the log-in nothing crosses the wire in the clear', async () => {
  const session = await open({ cipherSuite: 17 })
  net.sent.length = 0
  await clock.run(setBootDevice(session, { device: 'pxe', persistent: false, uefi: true }))
  for (const packet of net.sent) {
    expect(packet).toMatchObject({ encrypted: true, authenticated: true, payloadType: payloadTypes.message })
  }
})

test.each([
  { device: 'pxe', persistent: false, uefi: true },
  { device: 'disk', persistent: true, uefi: true },
  { device: 'cdrom', persistent: false, uefi: false },
  { device: 'bios', persistent: true, uefi: false },
  { device: 'safe', persistent: false, uefi: false },
] as const)('the boot choice %j reads back, also after the 60 s that a BMC would drop it in', async (choice) => {
  const session = await open()
  await clock.run(setBootDevice(session, choice))
  clock.pass(61_000)
  expect(await clock.run(readBootDevice(session))).toEqual({ ...choice, valid: true })
})

test('what the BMC declines has its completion code and its text', async () => {
  const declined = clock.run(setPower(await open(), 'cycle'))
  await expect(declined).rejects.toThrow(errors.CommandFailed)
  await expect(declined).rejects.toMatchObject({ completionCode: 0xd5, operation: 'Chassis Control' })
  await expect(declined).rejects.toThrow(/0xd5: command or parameter not supported in present state/)
})
