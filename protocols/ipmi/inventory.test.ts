import { beforeEach, describe, expect, test } from 'vitest'
import { createBmc } from './bmc.ts'
import { connect, type IpmiSession } from './client.ts'
import { raw } from './command.ts'
import { completionCodes } from './completion-code.ts'
import { CommandFailed } from './error.ts'
import { clearEventLog, readClock, readEventLog, readLogEntry, setClock } from './event-log.ts'
import { addSelEntry, clearSel, getSelInfo, reserveSel } from './event-log-commands.ts'
import { readPowerReading } from './dcmi.ts'
import { readFruDevice } from './inventory.ts'
import { coldReset, getDeviceGuid, getSelfTestResults } from './inventory-commands.ts'
import { readSensorRecords, readSensors } from './sensors.ts'
import { getSdr } from './sensor-commands.ts'
import { hex } from './testing/capture.ts'
import { paperChassis } from './testing/paper-chassis.ts'
import { drawn, paperInventory } from './testing/paper-inventory.ts'
import { type PaperNet, paperNet } from './testing/paper-net.ts'
import { type VirtualClock, virtualClock } from './testing/virtual-clock.ts'

const login = { username: 'admin', password: 'secret', privilege: 'administrator', timeoutMs: 30_000 } as const
const users = [{ name: 'admin', password: 'secret', privilege: 'administrator' }] as const
const guid = hex('00112233445566778899aabbccddeeff')

let clock: VirtualClock
let net: PaperNet
let session: IpmiSession

beforeEach(async () => {
  clock = virtualClock()
  await open(paperInventory())
})

async function open(inventory: Parameters<typeof createBmc>[0]['inventory']): Promise<void> {
  const onError = (error: unknown): never => {
    throw error
  }
  net = paperNet(createBmc({ users, chassis: paperChassis(), inventory, guid, clock, onError }))
  session = await clock.run(connect({ socket: net, host: '127.0.0.1', port: 623, clock, ...login }))
}

describe('sensors', () => {
  test('are read with their values; one that can not be read now has none', async () => {
    const readings = await readSensors(session)
    expect(readings.map(({ sensor, value, states }) => [sensor.name, value, states])).toEqual([
      ['Inlet', 23.5, 0],
      ['Fan 1', 5400, 2],
      ['PSU 1', undefined, 1],
      ['12V', undefined, 0],
    ])
  })

  test('a BMC without sensors says that the record is not there', async () => {
    await open({})
    await expect(readSensorRecords(session)).rejects.toThrow(/Get SDR: completion code 0xcb: sensor, data or record/)
  })

  /** Somebody else makes a reservation of his own between the parts of a record, so often. */
  const rivalled = (times: number): IpmiSession => {
    const { host, port } = session
    const send = async (...[command, request, how]: Parameters<IpmiSession['send']>): Promise<unknown> => {
      const isPart = command.name === getSdr.name && (request as { offset: number }).offset > 0
      if (isPart && times > 0) {
        times -= 1
        throw new CommandFailed({ host, port, operation: command.name }, completionCodes.reservationLost)
      }
      return session.send(command, request, how)
    }
    return { host, port, send } as unknown as IpmiSession
  }

  test('are all read, and once each, also where somebody else ends the reservation now and then; not where he always does', async () => {
    expect(await readSensorRecords(rivalled(4))).toHaveLength(4)
    await expect(readSensorRecords(rivalled(Infinity))).rejects.toThrow(/reservation cancelled/)
  })

  test('a part of a record is only read under a reservation', async () => {
    const part = session.send(getSdr, { reservation: 0, record: 1, offset: 5, count: 4 })
    await expect(part).rejects.toThrow(/reservation cancelled/)
  })
})

describe('the event log', () => {
  const entry = hex('0000 02 00000000 4100 04 01 05 81 592d28')

  test('is empty, takes entries in order with its own time, shows as many as asked, and is cleared', async () => {
    expect(await readEventLog(session, 10)).toEqual([])
    await setClock(session, new Date('2031-07-04T10:20:30Z'))
    expect(await readClock(session)).toEqual(new Date('2031-07-04T10:20:30Z'))
    for (let count = 1; count <= 3; count += 1)
      expect(await session.send(addSelEntry, { entry })).toEqual({ record: count })
    const log = await readEventLog(session, 2)
    expect(log.map(({ id }) => id)).toEqual([1, 2])
    expect(log[0]).toMatchObject({ kind: 'event', sensor: 5, asserted: false, data: hex('592d28') })
    expect(log[0]?.seconds).toBe(Date.parse('2031-07-04T10:20:30Z') / 1000)
    await clearEventLog(session, clock)
    expect(await readEventLog(session, 10)).toEqual([])
  })

  test('is not cleared by somebody who reserved it before the last entry', async () => {
    const { reservation } = await session.send(reserveSel, undefined)
    await session.send(addSelEntry, { entry })
    const clearing = session.send(clearSel, { reservation, magic: Buffer.from('CLR'), action: 0xaa })
    await expect(clearing).rejects.toThrow(/reservation cancelled/)
    expect(await session.send(getSelInfo, undefined)).toMatchObject({ entries: 1 })
  })

  test('that is full takes no more', async () => {
    for (let count = 0; count < 512; count += 1) await session.send(addSelEntry, { entry })
    expect(await session.send(getSelInfo, undefined)).toMatchObject({ entries: 512, freeBytes: 0 })
    const more = session.send(addSelEntry, { entry })
    await expect(clock.run(more)).rejects.toThrow(/out of space/)
  })

  test("has vendors' own entries, with a time or without", () => {
    const data = hex('010203040506070809')
    expect(readLogEntry(hex('0100 c0 0a000000 010203040506070809'))).toEqual({
      kind: 'oem',
      id: 1,
      type: 0xc0,
      seconds: 10,
      data,
    })
    expect(readLogEntry(hex('0200 e0 0a000000010203040506070809'))).toMatchObject({ type: 0xe0, seconds: undefined })
  })
})

test('the FRU and the power reading are those of the server', async () => {
  expect(await readFruDevice(session, 0)).toMatchObject({ product: { serial: 'P0001' } })
  await expect(readFruDevice(session, 1)).rejects.toThrow(/Get FRU Inventory Area Info: completion code 0xcb/)
  expect(await readPowerReading(session)).toEqual(drawn)
  await open({})
  await expect(readPowerReading(session)).rejects.toThrow(/Get Power Reading: completion code 0xc1/)
})

test('the BMC tells its GUID and that it is well, and forgets its sessions at a reset', async () => {
  expect(await session.send(getDeviceGuid, undefined)).toEqual({ guid })
  expect(await session.send(getSelfTestResults, undefined)).toEqual({ result: 0x55, detail: 0 })
  await session.send(coldReset, undefined)
  expect(net.bmc.sessions()).toEqual({ pending: 0, active: 0 })
  // Silence tells the client, which logs in anew.
  expect(await clock.run(session.send(raw(0x06, 0x04), hex('')))).toEqual(hex('5500'))
})
