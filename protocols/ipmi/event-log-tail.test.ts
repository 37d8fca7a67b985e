import fc from 'fast-check'
import { beforeEach, describe, expect, test } from 'vitest'
import { createBmc } from './bmc.ts'
import { connect, type IpmiSession } from './client.ts'
import { clearEventLog, readLogEntry } from './event-log.ts'
import { addSelEntry, deleteSelEntry } from './event-log-commands.ts'
import { type LogMark, readLogTail } from './event-log-tail.ts'
import { crossings, describeEntry, meaningOf } from './event-states.ts'
import { hex } from './testing/capture.ts'
import { paperChassis } from './testing/paper-chassis.ts'
import { paperNet } from './testing/paper-net.ts'
import { type VirtualClock, virtualClock } from './testing/virtual-clock.ts'

const login = { username: 'admin', password: 'secret', privilege: 'administrator', timeoutMs: 30_000 } as const
const users = [{ name: 'admin', password: 'secret', privilege: 'administrator' }] as const
let clock: VirtualClock
let session: IpmiSession
let asked = 0
beforeEach(async () => {
  clock = virtualClock()
  const onError = (error: unknown): never => {
    throw error
  }
  const net = paperNet(createBmc({ users, chassis: paperChassis(), clock, onError }))
  const real = await clock.run(connect({ socket: net, host: '127.0.0.1', port: 623, clock, ...login }))
  asked = 0
  session = new Proxy(real, {
    get(target, key) {
      if (key === 'send') asked += 1
      const value: unknown = Reflect.get(target, key, target)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
})

const sensors = (entries: ReadonlyArray<{ id: number }>): number[] => entries.map(({ id }) => id)
const add = (sensor: number) =>
  session.send(addSelEntry, {
    entry: hex(`0000 02 00000000 2000 04 0c ${sensor.toString(16).padStart(2, '0')} 6f 00ffff`),
  })
const tail = (mark: LogMark | undefined, most = 64) => clock.run(readLogTail(session, mark, most))

describe('the tail of an event log', () => {
  test('is empty at first, whatever the log holds, and then has what was added', async () => {
    await add(1)
    const first = await tail(undefined)
    expect([first.entries, first.erased]).toEqual([[], false])
    await add(2)
    await add(3)
    const second = await tail(first.mark)
    expect(sensors(second.entries)).toEqual([2, 3])
    expect((await tail(second.mark)).entries).toEqual([])
  })

  test('costs one command where there is no news', async () => {
    await add(1)
    const { mark } = await tail(undefined)
    asked = 0
    await tail(mark)
    expect(asked).toBe(1)
  })

  test('goes on where it stopped when there is more than may be read at once', async () => {
    let { mark } = await tail(undefined)
    for (let index = 0; index < 5; index += 1) await add(index)
    const read: number[] = []
    for (let turn = 0; turn < 4; turn += 1) {
      const found = await tail(mark, 2)
      mark = found.mark
      read.push(...sensors(found.entries))
    }
    expect(read).toEqual([1, 2, 3, 4, 5])
  })

  test('of a log that was erased is all of it, and says so', async () => {
    await add(1)
    const { mark } = await tail(undefined)
    await clock.run(clearEventLog(session, clock))
    expect(await tail(mark)).toMatchObject({ entries: [], erased: true })
    await add(9)
    const found = await tail(mark)
    expect([found.entries.length, found.erased]).toEqual([1, true])
    expect((await tail(found.mark)).entries).toEqual([])
  })

  test('of a log that has dropped what was known, without being erased, begins anew at its end', async () => {
    await add(1)
    const { mark } = await tail(undefined)
    await session.send(deleteSelEntry, { reservation: 0, record: 1 }).catch(() => undefined)
    const gone = { ...mark, last: { id: 1, hex: '00' } }
    await add(2)
    const found = await tail(gone)
    expect([found.entries, found.erased]).toEqual([[], false])
    expect((await tail(found.mark)).entries).toEqual([])
  })
})

describe('an entry in words', () => {
  const described = (bytes: string) =>
    describeEntry(readLogEntry(hex(bytes)), ({ sensor }) => (sensor === 9 ? 'DIMM A1' : undefined))

  test('says what of which sensor, and how bad that is', () => {
    expect(described('0100 02 00000030 2000 04 0c 09 6f 01ffff')).toMatchObject({
      subject: 'DIMM A1',
      text: 'DIMM A1: uncorrectable ECC error',
      severity: 'critical',
      asserted: true,
    })
    expect(described('0100 02 00000030 2000 04 08 03 ef 03ffff')).toMatchObject({
      text: 'power supply 3: has lost its input, no more',
      severity: 'ok',
      asserted: false,
    })
    expect(described('0100 02 00000030 2000 04 01 05 01 592d28')).toMatchObject({
      text: 'temperature 5: at or above its upper critical threshold',
      ofThreshold: true,
    })
  })

  test('of what nobody knows shows the bytes', () => {
    expect(described('0100 e0 0102030405060708090a0b0c0d').text).toBe(
      'record of type E0h: 01 02 03 04 05 06 07 08 09 0a 0b 0c 0d',
    )
    expect(described('0100 02 00000030 2000 04 c9 03 73 0affff').text).toBe(
      'sensor type C9h 3: state 10 of event type 73h',
    )
  })
})

test('a state that is none of trouble has no meaning, one that is has a severity', () => {
  expect(meaningOf(0x08, 0x6f, 0)).toBeUndefined()
  expect(meaningOf(0x0d, 0x6f, 2)).toEqual({ text: 'disk predicted to fail', severity: 'warning' })
  expect(meaningOf(0x04, 0x0b, 5)?.severity).toBe('critical')
  expect(crossings).toHaveLength(6)
})

test('whatever 16 bytes a log holds, they are described', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 16, maxLength: 16 }), (bytes) => {
      const { text, subject } = describeEntry(readLogEntry(bytes))
      expect(text.length).toBeGreaterThan(0)
      expect(subject.length).toBeLessThan(64)
    }),
  )
})
