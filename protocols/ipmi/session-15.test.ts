import { beforeEach, describe, expect, test } from 'vitest'
import { createBmc } from './bmc.ts'
import type { BmcOptions } from './bmc-options.ts'
import { readPower, setPower } from './chassis.ts'
import { connect, type ConnectOptions, type IpmiSession } from './client.ts'
import { CommandFailed, IncorrectPassword, UnauthorizedName, UnauthorizedRole } from './error.ts'
import { hex } from './testing/capture.ts'
import { type PaperChassis, paperChassis } from './testing/paper-chassis.ts'
import { type PaperNet, paperNet } from './testing/paper-net.ts'
import { type VirtualClock, virtualClock } from './testing/virtual-clock.ts'
import { authCode } from './wrapping-15.ts'

const users = [
  { name: 'admin', password: 'secret', privilege: 'administrator' },
  { name: 'watcher', password: 'look', privilege: 'user' },
  { name: 'long', password: 'seventeen bytes!!', privilege: 'administrator' },
] as const

let clock: VirtualClock
let chassis: PaperChassis
let net: PaperNet

beforeEach(() => {
  clock = virtualClock()
  chassis = paperChassis()
  net = paperNet(bmcWith({ ipmi15: true }))
})

function bmcWith(options: Partial<BmcOptions>): ReturnType<typeof createBmc> {
  const onError = (error: unknown): never => {
    throw error
  }
  return createBmc({ users, chassis, clock, onError, ...options })
}

function open(changes: Partial<ConnectOptions> = {}): Promise<IpmiSession> {
  const who = { username: 'admin', password: 'secret', privilege: 'administrator', protocolVersion: '1.5' } as const
  const to = { socket: net, host: '127.0.0.1', port: 623, clock, timeoutMs: 10_000 }
  return clock.run(connect({ ...to, ...who, ...changes }))
}

test('the code is MD5 of password, session id, message, sequence number and password', () => {
  const code = authCode(Buffer.from('secret'), 0x01020304, 7, hex('aabb'))
  // By Python: md5(b'secret'.ljust(16, b'\0') + bytes.fromhex('04030201 aabb 07000000') + b'secret'.ljust(16, b'\0'))
  expect(Buffer.from(code).toString('hex')).toBe('dc231cb2b7394ffdbbe80cb47d5202fd')
})

test('a session reads and sets power, and is closed', async () => {
  const session = await open()
  await setPower(session, 'on')
  expect(await readPower(session)).toBe('on')
  expect(net.bmc.sessions().active).toBe(1)
  await session.close()
  expect(net.bmc.sessions().active).toBe(0)
})

describe('a log-in', () => {
  test.each([
    ['with a wrong password', { password: 'guess' }, IncorrectPassword],
    ['of an unknown user', { username: 'nobody' }, UnauthorizedName],
    [
      'of a user whose password is too long for it',
      { username: 'long', password: 'seventeen bytes!' },
      UnauthorizedName,
    ],
    ['for more than the user may', { username: 'watcher', password: 'look' }, UnauthorizedRole],
  ])('%s is refused as that', async (_name, changes, kind) => {
    await expect(open(changes)).rejects.toThrow(kind)
    expect(net.bmc.sessions().active).toBe(0)
  })

  test('with a password that IPMI 1.5 has no room for is not tried', async () => {
    await expect(open({ password: 'seventeen bytes!!' })).rejects.toThrow(/the password has 17 bytes; IPMI allows 16/)
  })

  test('at a BMC that has no IPMI 1.5 says so, and what to do', async () => {
    net.bmc = bmcWith({})
    await expect(open()).rejects.toThrow(/offers no MD5 log-in of IPMI 1\.5.*use IPMI 2\.0/)
  })

  test('of which any one answer is lost succeeds all the same', async () => {
    for (let lost = 0; lost < 4; lost += 1) {
      let answers = 0
      net.loses = (direction) => direction === 'to console' && answers++ === lost
      expect(await clock.run(readPower(await open()))).toBe('off')
    }
  })

  test('that is begun and not ended, however often, fills nothing', async () => {
    for (let count = 0; count < 100; count += 1)
      await expect(open({ password: 'guess' })).rejects.toThrow(IncorrectPassword)
    expect(net.bmc.sessions()).toEqual({ pending: 0, active: 0 })
  })
})

describe('a session', () => {
  test('does what is repeated or replayed once', async () => {
    const session = await open()
    let heard: Uint8Array | undefined
    const receive = net.bmc.receive
    net.bmc = { ...net.bmc, receive: (bytes) => receive((heard = bytes)) }
    await setPower(session, 'on')
    expect(await receive(heard!)).toBeUndefined()
    expect(chassis.told).toEqual(['on'])
  })

  test('of a user who may only look changes nothing', async () => {
    const session = await open({ username: 'watcher', password: 'look', privilege: 'user' })
    expect(await readPower(session)).toBe('off')
    await expect(setPower(session, 'on')).rejects.toThrow(CommandFailed)
    expect(chassis.told).toEqual([])
  })

  test('hears no answer of which a byte was changed', async () => {
    const session = await open()
    net.noise = function* (answer) {
      for (let at = 4; at < answer.length; at += 1) yield answer.map((byte, index) => (index === at ? byte ^ 1 : byte))
    }
    expect(await readPower(session)).toBe('off')
  })
})
