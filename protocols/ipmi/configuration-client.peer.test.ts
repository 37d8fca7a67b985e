import { afterAll, beforeAll, expect, test } from 'vitest'
import {
  accessModes,
  copies,
  getChannelAccess,
  getChannelInfo,
  MEDIUM_LAN,
  setChannelAccess,
} from './channel-commands.ts'
import { chassisIdentify, getChassisCapabilities } from './chassis-commands.ts'
import { connect, type IpmiSession } from './client.ts'
import { THIS_CHANNEL } from './commands.ts'
import { readAssetTag } from './dcmi.ts'
import { addSelEntry, deleteSelEntry, reserveSel } from './event-log-commands.ts'
import { readLan, writeLan } from './lan.ts'
import * as commands from './sensor-commands.ts'
import { readSensorRecords } from './sensors.ts'
import { type IpmiSocket, openIpmiSocket } from './socket.ts'
import { type IpmiSim, simUser, startIpmiSim } from './testing/ipmi-sim.ts'
import { readThresholds, setThresholds } from './thresholds.ts'
import { putUser } from './user-changes.ts'
import { listUsers, setUserPassword, testUserPassword } from './users.ts'
import { armWatchdog, readWatchdog } from './watchdog.ts'
import { getWatchdog, resetWatchdog, setWatchdog } from './watchdog-commands.ts'

/** Of the rest, ipmi_sim 2.0.33 has nothing: DCMI, restore policy, restart cause, power-on hours, offset of the log's clock. */

let sim: IpmiSim
let socket: IpmiSocket
let session: IpmiSession

beforeAll(async () => {
  sim = await startIpmiSim()
  socket = openIpmiSocket()
  session = await open(simUser)
})
afterAll(async () => {
  await session.close()
  await socket.close()
  await sim.stop()
})

function open(user: { username: string; password: string }): Promise<IpmiSession> {
  const where = { socket, host: '127.0.0.1', port: sim.port, cipherSuite: 3, timeoutMs: 30_000 } as const
  return connect({ ...where, privilege: 'administrator', ...user })
}

// With passwords of 20 bytes ipmi_sim 2.0.33 lets nobody in, ipmitool neither; and any password passes its test.
test('a user of ipmi_sim is hired, logs in, and has another password', async () => {
  await putUser(session, { name: 'worker', password: 'first', privilege: 'administrator' })
  expect((await listUsers(session)).map(({ id, name }) => [id, name])).toEqual([
    [2, simUser.username],
    [3, 'worker'],
  ])
  await setUserPassword(session, 3, 'sixteen-bytes-pw')
  expect(await testUserPassword(session, 3, 'sixteen-bytes-pw')).toBe(true)
  await (await open({ username: 'worker', password: 'sixteen-bytes-pw' })).close()
})

test('the LAN configuration of ipmi_sim is read, and a change of it accepted', async () => {
  expect(await readLan(session)).toMatchObject({ community: 'public', vlan: undefined })
  await writeLan(session, { gateway: '10.1.2.1' })
})

test('the channel of ipmi_sim is a LAN, and its access is read and set', async () => {
  const channel = { number: THIS_CHANNEL }
  expect(await session.send(getChannelInfo, { channel })).toMatchObject({ medium: { type: MEDIUM_LAN } })
  const access = { mode: accessModes.always, userLevelOff: false, perMessageOff: false, alertingOff: false }
  const limit = { privilege: 4, copy: copies.present }
  await session.send(setChannelAccess, { channel, access: { ...access, copy: copies.present }, limit })
  const read = await session.send(getChannelAccess, { channel, of: { copy: copies.present } })
  expect(read).toEqual({ access, limit: { privilege: 4 } })
})

// It never tells that it runs, nor what is left.
test('the watchdog of ipmi_sim is set, reset and read', async () => {
  await expect(session.send(resetWatchdog, undefined)).rejects.toThrow(/completion code 0x80/)
  const use = { purpose: 4, running: false, silent: true }
  const actions = { onTimeout: 0, interrupt: 0 }
  const armed = { use, actions, interruptBefore: 0, expired: 0, initial: 600 }
  await session.send(setWatchdog, armed)
  await session.send(resetWatchdog, undefined)
  const read = { use: { purpose: 4 }, initial: 600 }
  expect(await session.send(getWatchdog, undefined)).toMatchObject(read)
  await armWatchdog(session, { running: true, action: 'none', timeout: 90.5 })
  expect(await readWatchdog(session)).toMatchObject({ action: 'none', timeout: 90.5 })
})

test('thresholds, hysteresis and events of a sensor of ipmi_sim are read and set', async () => {
  const [record] = await readSensorRecords(session)
  if (record?.kind !== 'full') throw new Error('no full record')
  expect(await readThresholds(session, record)).toMatchObject({ lowerCritical: 2, upperCritical: 55 })
  await setThresholds(session, record, { upperCritical: 51 })
  expect(await readThresholds(session, record)).toMatchObject({ lowerCritical: 2, upperCritical: 51 })
  await session.send(commands.setSensorHysteresis, { number: 1, mask: 0xff, positive: 3, negative: 1 })
  const hysteresis = await session.send(commands.getSensorHysteresis, { number: 1, mask: 0xff })
  expect(hysteresis).toEqual({ positive: 3, negative: 1 })
  const off = { change: 2, scanning: true, events: true }
  await session.send(commands.setSensorEvents, { number: 1, flags: off, assertions: 0x0001, deassertions: 0 })
  const { assertions = 0xffff } = await session.send(commands.getSensorEvents, { number: 1 })
  expect(assertions & 1).toBe(0)
})

test('an entry of the event log of ipmi_sim is deleted, and its chassis identifies itself', async () => {
  const entry = Uint8Array.of(0, 0, 2, 0, 0, 0, 0, 0x41, 0, 4, 1, 1, 0x81, 0x59, 0x2d, 0x28)
  const { record } = await session.send(addSelEntry, { entry })
  const { reservation } = await session.send(reserveSel, undefined)
  expect(await session.send(deleteSelEntry, { reservation, record })).toEqual({ record })
  await session.send(chassisIdentify, { seconds: 1, force: undefined })
  expect(await session.send(getChassisCapabilities, undefined)).toMatchObject({ selAddress: 0x20 })
})

test('what ipmi_sim has not is declined as such', async () => {
  await expect(readAssetTag(session)).rejects.toThrow(/Get Asset Tag: completion code 0xc1: invalid or unsupported/)
})
