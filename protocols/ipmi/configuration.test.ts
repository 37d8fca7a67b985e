import { beforeEach, describe, expect, test } from 'vitest'
import { type BmcOptions } from './bmc-options.ts'
import { createBmc } from './bmc.ts'
import { setChannelAccess } from './channel-commands.ts'
import { chassisIdentify, getRestartCause, setPowerRestorePolicy } from './chassis-commands.ts'
import { setPower } from './chassis.ts'
import { connect, type ConnectOptions, type IpmiSession } from './client.ts'
import { getChassisStatus } from './commands.ts'
import * as dcmi from './dcmi.ts'
import * as errors from './error.ts'
import { clearEventLog, readClock, readEventLog, setClock } from './event-log.ts'
import { deleteSelEntry, getSelTime, getSelTimeOffset, reserveSel, setSelTimeOffset } from './event-log-commands.ts'
import { coldReset } from './inventory-commands.ts'
import { readLan, writeLan } from './lan.ts'
import { setLanParameter } from './lan-commands.ts'
import { readSensorRecords, readSensors } from './sensors.ts'
import * as sensor from './sensor-commands.ts'
import { type PaperChassis, paperChassis } from './testing/paper-chassis.ts'
import { paperInventory } from './testing/paper-inventory.ts'
import { type PaperNet, paperNet } from './testing/paper-net.ts'
import { type VirtualClock, virtualClock } from './testing/virtual-clock.ts'
import { readThresholds, setThresholds } from './thresholds.ts'
import { setUserAccess, setUserName, setUserPassword as passwordCommand } from './user-commands.ts'
import { listUsers, mayLogIn, setUserPassword, testUserPassword } from './users.ts'
import { getWatchdog, resetWatchdog, setWatchdog } from './watchdog-commands.ts'

const login = { username: 'admin', password: 'secret', privilege: 'administrator', timeoutMs: 5000 } as const
const users = [{ name: 'admin', password: 'secret', privilege: 'administrator' }] as const

let clock: VirtualClock
let chassis: PaperChassis
let net: PaperNet
let session: IpmiSession

beforeEach(() => start())

async function start(changes: Partial<BmcOptions> = {}): Promise<void> {
  clock = virtualClock()
  chassis = paperChassis()
  const onError = (error: unknown): never => {
    throw error
  }
  const lan = { address: '10.1.2.3', mask: '255.255.255.0', gateway: '10.1.2.254', mac: '52:54:00:00:00:01' }
  net = paperNet(
    createBmc({ users, chassis, inventory: paperInventory(), lan, clock, ipmi15: true, onError, ...changes }),
  )
  session = await open()
}

function open(changes: Partial<ConnectOptions> = {}): Promise<IpmiSession> {
  return clock.run(connect({ socket: net, host: '127.0.0.1', port: 623, clock, ...login, ...changes }))
}

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

describe('the watchdog', () => {
  const armed = {
    use: { purpose: 4, running: false, silent: false },
    actions: { onTimeout: 1, interrupt: 0 },
    interruptBefore: 0,
    expired: 0,
    initial: 100,
  }

  test('that nobody set can not be started', async () => {
    await expect(session.send(resetWatchdog, undefined)).rejects.toThrow(/completion code 0x80/)
  })

  test('counts from when it is reset, and resets the machine that does not come in time', async () => {
    await setPower(session, 'on')
    await session.send(setWatchdog, armed)
    expect(await session.send(getWatchdog, undefined)).toMatchObject({ use: { running: false }, present: 100 })
    for (let count = 0; count < 3; count += 1) {
      await session.send(resetWatchdog, undefined)
      clock.pass(6000)
      expect(await session.send(getWatchdog, undefined)).toMatchObject({ use: { running: true }, present: 40 })
    }
    expect(chassis.told).toEqual(['on'])
    await clock.run(new Promise<void>((resolve) => void clock.after(5000, resolve)))
    expect(chassis.told).toEqual(['on', 'reset'])
    expect(await session.send(getWatchdog, undefined)).toMatchObject({ use: { running: false }, expired: 0x10 })
    expect(await session.send(getRestartCause, undefined)).toMatchObject({ cause: { by: 4 } })
    expect(await readEventLog(session, 10)).toMatchObject([{ sensorType: 0x23, asserted: true }])
    await session.send(setWatchdog, { ...armed, expired: 0x10 })
    expect(await session.send(getWatchdog, undefined)).toMatchObject({ expired: 0 })
  })

  test('that is stopped, or whose BMC is taken away, does nothing', async () => {
    await session.send(setWatchdog, armed)
    await session.send(resetWatchdog, undefined)
    await session.send(setWatchdog, armed)
    await clock.run(new Promise<void>((resolve) => void clock.after(20_000, resolve)))
    await session.send(resetWatchdog, undefined)
    net.bmc.stop()
    await clock.run(new Promise<void>((resolve) => void clock.after(20_000, resolve)))
    expect(chassis.told).toEqual([])
  })
})

describe('DCMI', () => {
  test('says what the BMC has of it', async () => {
    expect(await dcmi.readDcmiCapabilities(session)).toEqual({ version: '1.5', power: true })
    await start({ inventory: {} })
    expect(await dcmi.readDcmiCapabilities(session)).toEqual({ version: '1.5', power: false })
    await expect(dcmi.readPowerLimit(session)).rejects.toThrow(/Get Power Limit: completion code 0xc1/)
  })

  test('a power limit is set, in force, read and lifted', async () => {
    expect(await dcmi.readPowerLimit(session)).toBeUndefined()
    const limit = { watts: 300, action: 'off', correctionMs: 1000, periodSeconds: 10 } as const
    await dcmi.limitPower(session, limit)
    expect(await dcmi.readPowerLimit(session)).toEqual(limit)
    await dcmi.limitPower(session, undefined)
    expect(await dcmi.readPowerLimit(session)).toBeUndefined()
    await expect(dcmi.limitPower(session, { ...limit, watts: 0 })).rejects.toThrow(/completion code 0x84/)
  })

  test.each(['', 'short', 'sixteen-bytes-it', 'x'.repeat(63)])(
    'the asset tag %s is kept, as is the name',
    async (text) => {
      await dcmi.writeAssetTag(session, 'something longer than this, at first')
      await dcmi.writeAssetTag(session, text)
      expect(await dcmi.readAssetTag(session)).toBe(text)
      await dcmi.writeControllerId(session, text)
      expect(await dcmi.readControllerId(session)).toBe(text)
    },
  )

  test('a text that is too long is refused', async () => {
    await expect(dcmi.writeAssetTag(session, 'x'.repeat(65))).rejects.toThrow(/65 bytes; DCMI allows 63/)
  })
})

describe('sensors', () => {
  async function inlet() {
    const [record] = await readSensorRecords(session)
    if (record?.kind !== 'full') throw new Error('no full record')
    return record
  }

  test('have thresholds in their unit, and a reading beyond one that is set says so', async () => {
    const record = await inlet()
    const before = { lowerNonCritical: 3, lowerCritical: 2, lowerNonRecoverable: 1 }
    const above = { upperNonCritical: 50, upperCritical: 55, upperNonRecoverable: 60 }
    expect(await readThresholds(session, record)).toEqual({ ...before, ...above })
    await setThresholds(session, record, { upperNonCritical: 20, upperCritical: 23 })
    expect(await readThresholds(session, record)).toEqual({
      ...before,
      ...above,
      upperNonCritical: 20,
      upperCritical: 23,
    })
    const [reading] = await readSensors(session)
    expect(reading).toMatchObject({ value: 23.5, states: 0x18 })
  })

  test('without thresholds decline to have one set', async () => {
    const [, fan] = await readSensorRecords(session)
    if (fan?.kind !== 'full') throw new Error('no full record')
    await expect(setThresholds(session, fan, { upperCritical: 1 })).rejects.toThrow(/illegal for this sensor/)
    expect(await readThresholds(session, fan)).toEqual({})
    await expect(session.send(sensor.getSensorThresholds, { number: 3 })).rejects.toThrow(/illegal for this sensor/)
    await expect(session.send(sensor.getSensorThresholds, { number: 99 })).rejects.toThrow(/not present/)
  })

  test('have hysteresis and events that can be switched', async () => {
    await session.send(sensor.setSensorHysteresis, { number: 1, mask: 0xff, positive: 4, negative: 3 })
    const hysteresis = await session.send(sensor.getSensorHysteresis, { number: 1, mask: 0xff })
    expect(hysteresis).toEqual({ positive: 4, negative: 3 })
    const off = { change: 2, scanning: true, events: true }
    await session.send(sensor.setSensorEvents, { number: 1, flags: off, assertions: 0x0010, deassertions: 0xffff })
    expect(await session.send(sensor.getSensorEvents, { number: 1 })).toEqual({
      flags: { scanning: true, events: true },
      assertions: 0x0a85,
      deassertions: 0,
    })
  })

  test('that are not scanned show nothing', async () => {
    const silent = { change: 0, scanning: false, events: false }
    await session.send(sensor.setSensorEvents, {
      number: 1,
      flags: silent,
      assertions: undefined,
      deassertions: undefined,
    })
    expect((await readSensors(session))[0]).toMatchObject({ value: undefined })
  })
})

describe('the event log', () => {
  test('that takes its time to be erased is waited for', async () => {
    await start({ eraseMs: 3500 })
    const before = clock.now()
    await clock.run(clearEventLog(session, clock))
    expect(clock.now() - before).toBeGreaterThanOrEqual(3500)
    await start({ eraseMs: 60_000 })
    await expect(clock.run(clearEventLog(session, clock))).rejects.toThrow(/still being erased after 30 s; look again/)
  })

  test('loses an entry only to who reserved it', async () => {
    const lost = session.send(deleteSelEntry, { reservation: 9, record: 0 })
    await expect(lost).rejects.toThrow(/reservation/)
    const { reservation } = await session.send(reserveSel, undefined)
    await expect(session.send(deleteSelEntry, { reservation, record: 0 })).rejects.toThrow(/not present/)
  })

  test('has a clock that knows how far from UTC it is, once told', async () => {
    expect(await session.send(getSelTimeOffset, undefined)).toEqual({ minutes: 0x7fff })
    await session.send(setSelTimeOffset, { minutes: -90 })
    expect(await session.send(getSelTimeOffset, undefined)).toEqual({ minutes: -90 })
    await expect(session.send(setSelTimeOffset, { minutes: 1441 })).rejects.toThrow(/out of range/)
    const time = new Date('2031-07-04T10:20:30Z')
    await setClock(session, time)
    expect(await readClock(session)).toEqual(time)
    expect(await session.send(getSelTime, undefined)).toEqual({ seconds: (time.getTime() - 90 * 60_000) / 1000 })
    await setClock(session, time, 120)
    expect(await readClock(session)).toEqual(time)
    expect(await session.send(getSelTimeOffset, undefined)).toEqual({ minutes: 120 })
  })
})

describe('the chassis', () => {
  test('identifies itself for as long as asked, and keeps its restore policy', async () => {
    const identify = async () => (await session.send(getChassisStatus, undefined)).misc.identify
    await session.send(chassisIdentify, { seconds: undefined, force: undefined })
    expect(await identify()).toBe(1)
    clock.pass(15_001)
    expect(await identify()).toBe(0)
    await session.send(chassisIdentify, { seconds: 1, force: { on: true } })
    expect(await identify()).toBe(2)
    await session.send(chassisIdentify, { seconds: 0, force: undefined })
    expect(await identify()).toBe(0)
    await session.send(setPowerRestorePolicy, { policy: { after: 2 } })
    await session.send(setPowerRestorePolicy, { policy: { after: 3 } })
    expect((await session.send(getChassisStatus, undefined)).power.restorePolicy).toBe(2)
  })

  test('remembers why it started', async () => {
    expect(await session.send(getRestartCause, undefined)).toMatchObject({ cause: { by: 0 } })
    await setPower(session, 'on')
    expect(await session.send(getRestartCause, undefined)).toEqual({ cause: { by: 1 }, channel: 1 })
  })
})
