import { beforeEach, describe, expect, test } from 'vitest'
import type { BmcOptions } from './bmc-options.ts'
import { chassisIdentify, getRestartCause, setPowerRestorePolicy } from './chassis-commands.ts'
import { setPower } from './chassis.ts'
import { getChassisStatus } from './commands.ts'
import * as dcmi from './dcmi.ts'
import { clearEventLog, readClock, readEventLog, setClock } from './event-log.ts'
import { deleteSelEntry, getSelTime, getSelTimeOffset, reserveSel, setSelTimeOffset } from './event-log-commands.ts'
import * as sensor from './sensor-commands.ts'
import { readSensorRecords, readSensors } from './sensors.ts'
import { type PaperSession, paperSession } from './testing/paper-session.ts'
import { readThresholds, setThresholds } from './thresholds.ts'
import { getWatchdog, resetWatchdog, setWatchdog } from './watchdog-commands.ts'

let clock: PaperSession['clock']
let chassis: PaperSession['chassis']
let net: PaperSession['net']
let session: PaperSession['session']

beforeEach(() => start())

async function start(changes: Partial<BmcOptions> = {}): Promise<void> {
  ;({ clock, chassis, net, session } = await paperSession(changes))
}

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
