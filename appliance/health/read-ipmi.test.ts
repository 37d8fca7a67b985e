import type { IpmiSession, SendHow } from '@bloomery/ipmi/client.ts'
import type { Command } from '@bloomery/ipmi/command.ts'
import { CommandFailed } from '@bloomery/ipmi/error.ts'
import { records } from '@bloomery/ipmi/testing/paper-inventory.ts'
import { expect, test } from 'vitest'
import type { Ask } from './look.ts'
import { readIpmiHealth } from './read-ipmi.ts'

const ask: Ask = (question) => question()

/** The inlet's record as another sensor's: which controller has it, in which of its parts, under which number. */
function inlet(name: string, owner: number, lun: number, number: number): Uint8Array {
  const bytes = Uint8Array.from([...records[0]!.subarray(0, -'Inlet'.length), ...Buffer.from(name)])
  bytes.set([bytes.length - 5], 4)
  bytes.set([owner, lun, number], 5)
  bytes.set([0xc0 | name.length], 47)
  return bytes
}

/** A BMC by what it answers; a command that it has no answer to it declines. */
function bmc(answers: Record<string, (request: Record<string, number>, how: SendHow | undefined) => unknown>) {
  const all: typeof answers = {
    'Get SEL Info': () => ({ entries: 0, lastAddition: 0, lastErase: 0 }),
    'Reserve SDR Repository': () => ({ reservation: 1 }),
    ...answers,
  }
  const send = async (command: Command<unknown, unknown>, request: unknown, how?: SendHow): Promise<unknown> => {
    const answer = all[command.name]?.(request as Record<string, number>, how)
    if (answer === undefined) throw new CommandFailed({ host: 'bmc', port: 623, operation: command.name }, 0xd5)
    return answer
  }
  return { host: 'bmc', port: 623, send } as unknown as IpmiSession
}

const repository = (of: readonly Uint8Array[]) => ({
  'Get SDR Repository Info': () => ({ records: of.length, lastAddition: 1, lastErase: 0 }),
  'Get SDR': ({ record = 0, offset = 0, count = 0 }: Record<string, number>) => ({
    next: record + 1 < of.length ? record + 1 : 0xffff,
    data: of[record]!.subarray(offset, offset + count),
  }),
})
const flags = { unavailable: false, scanning: true, events: true }

test('sensors of the same number in two parts of a BMC are two, and one of another controller is none of its', async () => {
  const session = bmc({
    ...repository([inlet('Inlet', 0x20, 0, 1), inlet('Outlet', 0x20, 1, 1), inlet('Node', 0x2c, 0, 2)]),
    'Get Sensor Reading': (_, how) => ({
      reading: how?.lun === 1 ? 140 : 67,
      flags,
      states: how?.lun === 1 ? 0x08 : 0,
    }),
    'Get Sensor Thresholds': (_, how) => ({
      readable: { upperNonCritical: true },
      upperNonCritical: how?.lun === 1 ? 130 : 60,
    }),
  })
  const { readings, ailments } = await readIpmiHealth(session, null, ask)
  expect(readings.map(({ name, value, level }) => [name, value, level])).toEqual([
    ['Inlet', 23.5, 'OK'],
    ['Outlet', 60, 'Warning'],
  ])
  expect(ailments).toEqual([
    { subject: 'sensor Outlet', level: 'Warning', text: expect.stringMatching(/^Outlet: 60 °C, .* of 55 °C$/) },
  ])
})

test('a BMC that could not tell what is drawn, because the machine was off, is asked the next time too', async () => {
  const told = { watts: 212, minimum: 0, maximum: 0, average: 0, periodMs: 1000, state: { active: true } }
  const off = await readIpmiHealth(bmc({}), null, ask)
  const on = await readIpmiHealth(bmc({ 'Get Power Reading': () => told }), off.kept, ask)
  expect([off.watts, on.watts]).toEqual([null, 212])
  const idle = { ...told, watts: 0, state: { active: false } }
  expect((await readIpmiHealth(bmc({ 'Get Power Reading': () => idle }), on.kept, ask)).watts).toBeNull()
})

const event = (id: number, seconds: number, generator: number): Uint8Array => {
  const bytes = Buffer.from('000002000000000000040c016f01ffff', 'hex')
  bytes.writeUInt16LE(id, 0)
  bytes.writeUInt32LE(seconds, 3)
  bytes.writeUInt16LE(generator, 7)
  return bytes
}

test('an event has the name of the BMC’s sensor that it is of, and a time if the BMC knew it', async () => {
  const log = [
    event(1, 1_795_000_000, 0x0020),
    event(2, 0xffff_ffff, 0x0120),
    event(3, 77, 0x002c),
    event(4, 0x2000_0000, 0x0041),
  ]
  const sensors = repository([inlet('DIMM A', 0x20, 0, 1), inlet('DIMM B', 0x20, 1, 1)])
  const empty = await readIpmiHealth(bmc(sensors), null, ask)
  const logging = bmc({
    ...sensors,
    'Get SEL Info': () => ({ entries: log.length, lastAddition: 1, lastErase: 0 }),
    'Get SEL Entry': ({ record = 0 }) => ({ next: record < log.length - 1 ? record + 1 : 0xffff, data: log[record] }),
  })
  const { entries } = (await readIpmiHealth(logging, empty.kept, ask)).log
  expect(entries.map(({ at, blames }) => [at, blames])).toEqual([
    [new Date(1_795_000_000_000).toISOString(), 'log DIMM A'],
    [null, 'log DIMM B'],
    [null, 'log memory 1'],
    [null, 'log memory 1'],
  ])
})
