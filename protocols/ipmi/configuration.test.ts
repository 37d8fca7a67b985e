import { beforeEach, describe, expect, test } from 'vitest'
import { setChannelAccess } from './channel-commands.ts'
import * as errors from './error.ts'
import { coldReset } from './inventory-commands.ts'
import { readLan, writeLan } from './lan.ts'
import { setLanParameter } from './lan-commands.ts'
import { type PaperSession, paperSession } from './testing/paper-session.ts'
import { setUserAccess, setUserName, setUserPassword as passwordCommand } from './user-commands.ts'
import { listUsers, mayLogIn, setUserPassword, testUserPassword } from './users.ts'

let clock: PaperSession['clock']
let net: PaperSession['net']
let session: PaperSession['session']
let open: PaperSession['open']

beforeEach(async () => {
  ;({ clock, net, session, open } = await paperSession())
})

describe('users', () => {
  const access = { messaging: true, linkAuthentication: false, callbackOnly: false, change: true }
  async function hire(id: number, name: string, password: string): Promise<void> {
    await session.send(setUserName, { user: { id }, name })
    await setUserPassword(session, id, password)
    const channel = { number: 1, ...access }
    await session.send(setUserAccess, { channel, user: { id }, limit: { privilege: 3 }, sessions: undefined })
    await session.send(passwordCommand, {
      user: { id, long: false },
      operation: { what: 1 },
      password: new Uint8Array(0),
    })
  }

  test('are those that have a name, with what they may do', async () => {
    expect(await listUsers(session)).toEqual([{ id: 2, name: 'admin', enabled: true, privilege: 4 }])
    await hire(3, 'worker', 'other')
    expect((await listUsers(session)).map(({ id, name, privilege }) => [id, name, privilege])).toEqual([
      [2, 'admin', 4],
      [3, 'worker', 3],
    ])
    expect((await listUsers(session)).every(mayLogIn)).toBe(true)
  })

  test('log in from when they are enabled, and no longer once they are disabled', async () => {
    await session.send(setUserName, { user: { id: 3 }, name: 'worker' })
    await expect(open({ username: 'worker', password: 'other' })).rejects.toThrow(errors.UnauthorizedName)
    await hire(3, 'worker', 'other')
    await open({ username: 'worker', password: 'other', privilege: 'operator' })
    await expect(open({ username: 'worker', password: 'other' })).rejects.toThrow(errors.UnauthorizedRole)
    const off = { user: { id: 3, long: false }, operation: { what: 0 }, password: new Uint8Array(0) }
    await session.send(passwordCommand, off)
    expect((await listUsers(session)).map(mayLogIn)).toEqual([true, false])
    await expect(open({ username: 'worker', password: 'other' })).rejects.toThrow(errors.UnauthorizedName)
  })

  test.each(['short', 'sixteen-bytes-pw', 'twenty-bytes-long-pw'])(
    'have a new password at once: %s; the session that set it goes on',
    async (password) => {
      await setUserPassword(session, 2, password)
      expect(await testUserPassword(session, 2, password)).toBe(true)
      expect(await testUserPassword(session, 2, 'secret')).toBe(false)
      await open({ password })
      await expect(open()).rejects.toThrow(errors.IncorrectPassword)
      const old = open({ password, protocolVersion: '1.5' })
      if (password.length > 16) await expect(old).rejects.toThrow(RangeError)
      else await old
    },
  )

  test('a password stored as 20 bytes is none for IPMI 1.5, however short', async () => {
    const password = new Uint8Array(20)
    password.set(Buffer.from('short'))
    await session.send(passwordCommand, { user: { id: 2, long: true }, operation: { what: 2 }, password })
    await open({ password: 'short' })
    const old = open({ password: 'short', protocolVersion: '1.5' })
    await expect(old).rejects.toThrow(errors.UnauthorizedName)
  })

  test('a password that is too long is refused before anything is sent', async () => {
    const sent = net.sent.length
    await expect(setUserPassword(session, 2, 'x'.repeat(21))).rejects.toThrow(/21 bytes; IPMI allows 20/)
    expect(net.sent).toHaveLength(sent)
  })

  test('the nameless one can not be given a name, and there is no user beyond the last', async () => {
    await expect(session.send(setUserName, { user: { id: 1 }, name: 'x' })).rejects.toThrow(/out of range/)
    await expect(setUserPassword(session, 17, 'x')).rejects.toThrow(/Set User Password: .*out of range/)
  })
})

describe('the channel', () => {
  const access = { mode: 2, userLevelOff: false, perMessageOff: false, alertingOff: false }
  test('limits what sessions may do, until the BMC restarts if that is not kept', async () => {
    const limit = { privilege: 3, copy: 2 }
    await session.send(setChannelAccess, { channel: { number: 14 }, access: { ...access, copy: 0 }, limit })
    await expect(open()).rejects.toThrow(errors.UnauthorizedRole)
    await session.send(coldReset, undefined)
    await open()
  })

  test('that is disabled lets nobody in', async () => {
    const off = { ...access, mode: 0, copy: 2 }
    const limit = { privilege: 4, copy: 0 }
    await session.send(setChannelAccess, { channel: { number: 1 }, access: off, limit })
    await expect(open({ privilege: 'user' })).rejects.toThrow(errors.UnauthorizedRole)
  })
})

test('a BMC that restarts without an answer is told so once', async () => {
  const before = net.bmc
  // From then on it is away, and comes back as another.
  net.loses = (direction) => direction === 'to console'
  const restarting = session.send(coldReset, undefined, { once: true })
  const told = clock.run(restarting)
  await expect(told).rejects.toThrow(errors.TransportTimeout)
  const sent = net.sent.length
  expect(before.sessions()).toEqual({ pending: 0, active: 0 })
  net.loses = () => false
  await clock.run(listUsers(session))
  expect(net.sent.length).toBeGreaterThan(sent)
  // Nobody asked to log in between the restart and the next command.
  expect(
    net.sent.slice(0, sent).filter((packet) => packet.format === '2.0' && packet.payloadType === 0x10),
  ).toHaveLength(1)
})

describe('LAN configuration', () => {
  const told = {
    source: 'static',
    address: '10.1.2.3',
    mask: '255.255.255.0',
    gateway: '10.1.2.254',
    mac: '52:54:00:00:00:01',
    community: 'public',
    vlan: undefined,
  } as const

  test('is read and written', async () => {
    expect(await readLan(session)).toEqual(told)
    const changes = { source: 'dhcp', community: 'hush', vlan: 100, gateway: '10.1.2.1' } as const
    await writeLan(session, changes)
    expect(await readLan(session)).toEqual({ ...told, ...changes })
    await writeLan(session, { vlan: undefined, source: 'static', address: '10.9.9.9', mask: '255.0.0.0' })
    expect(await readLan(session)).toMatchObject({ vlan: undefined, address: '10.9.9.9', mask: '255.0.0.0' })
  })

  test('is left to him who began with it, and a restart ends that', async () => {
    const inProgress = { channel: { number: 1 }, selector: 0, data: Uint8Array.of(1) }
    await session.send(setLanParameter, inProgress)
    const second = writeLan(session, { vlan: 7 })
    await expect(second).rejects.toThrow(/Set LAN .*: somebody else is changing the LAN configuration; wait for him/)
    expect(await readLan(session)).toEqual(told)
    await session.send(coldReset, undefined)
    await clock.run(writeLan(session, { vlan: 7 }))
    expect(await readLan(session)).toMatchObject({ vlan: 7 })
  })

  test('what is refused in the middle leaves it open to the next', async () => {
    await expect(writeLan(session, { vlan: 4095 })).rejects.toThrow(RangeError)
    await writeLan(session, { vlan: 4094 })
  })

  test.each([
    [1, '00', /completion code 0x82/],
    [3, '0a01', /invalid data field/],
    [200, '00', /completion code 0x80/],
  ])('parameter %i can not be set to %s', async (selector, data, why) => {
    const request = { channel: { number: 1 }, selector, data: Buffer.from(data, 'hex') }
    await expect(session.send(setLanParameter, request)).rejects.toThrow(why)
  })
})
