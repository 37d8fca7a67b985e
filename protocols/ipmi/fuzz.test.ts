import { WireError } from '@bloomery/wire/error.ts'
import { fuzz, FUZZ_DEADLINE_MS, FUZZ_PACKETS } from '@bloomery/wire/fuzzing.ts'
import { expect, test } from 'vitest'
import { createBmc } from './bmc.ts'
import { readCipherSuiteRecords } from './cipher-suite.ts'
import { connect } from './client.ts'
import { systemClock } from './clock.ts'
import { decodeWith } from './command.ts'
import * as channelCommands from './channel-commands.ts'
import * as chassisCommands from './chassis-commands.ts'
import * as commands from './commands.ts'
import * as dcmiCommands from './dcmi-commands.ts'
import { readLogEntry } from './event-log.ts'
import * as eventLogCommands from './event-log-commands.ts'
import { readFru } from './fru.ts'
import * as inventoryCommands from './inventory-commands.ts'
import * as lanCommands from './lan-commands.ts'
import { decodeMessage } from './message.ts'
import { decodePacket } from './packet.ts'
import * as rakp from './rakp.ts'
import { readSensorRecord } from './sdr.ts'
import * as sensorCommands from './sensor-commands.ts'
import * as session15Commands from './session-15-commands.ts'
import { readCapture } from './testing/capture.ts'
import { paperChassis } from './testing/paper-chassis.ts'
import { fruBytes, records } from './testing/paper-inventory.ts'
import { paperNet } from './testing/paper-net.ts'
import * as userCommands from './user-commands.ts'
import * as watchdogCommands from './watchdog-commands.ts'

const ROUNDS = FUZZ_PACKETS
const AT_ONCE = 16
const patience = { timeout: FUZZ_DEADLINE_MS }
const seeds = readCapture('ipmitool-power-status')

/** Mulberry32: the same packets in each run. */
function generator(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below
  }
}

function mutate(pick: (below: number) => number, from: readonly Uint8Array[]): Uint8Array {
  const seed = from[pick(from.length)]!
  const bytes = new Uint8Array(seed.subarray(0, pick(8) === 0 ? pick(seed.length + 1) : seed.length))
  for (let changes = pick(4); changes > 0 && bytes.length > 0; changes -= 1) bytes[pick(bytes.length)] = pick(256)
  return bytes
}

const decoders: readonly ((bytes: Uint8Array) => unknown)[] = [
  decodeMessage,
  rakp.decodeOpenSessionRequest,
  rakp.decodeOpenSessionResponse,
  rakp.decodeRakp1,
  rakp.decodeRakp2,
  rakp.decodeRakp3,
  rakp.decodeRakp4,
  readCipherSuiteRecords,
  readLogEntry,
  readFru,
  readSensorRecord,
  ...Object.values({
    ...commands,
    ...channelCommands,
    ...chassisCommands,
    ...dcmiCommands,
    ...eventLogCommands,
    ...inventoryCommands,
    ...lanCommands,
    ...sensorCommands,
    ...session15Commands,
    ...userCommands,
    ...watchdogCommands,
  }).flatMap((row) =>
    typeof row === 'object' && 'response' in row
      ? [(bytes: Uint8Array) => decodeWith<unknown>(row.response, bytes)]
      : [],
  ),
]

test(`${ROUNDS} mutated packets give the decoders values or WireErrors, nothing else`, patience, () => {
  const pick = generator(1)
  const counts = { values: 0, errors: 0 }
  const attempt = (decode: () => unknown): void => {
    try {
      decode()
      counts.values += 1
    } catch (error) {
      if (!(error instanceof WireError)) throw error
      counts.errors += 1
    }
  }
  for (let round = 0; round < ROUNDS; round += 1) {
    const bytes = mutate(pick, seeds)
    attempt(() => {
      const packet = decodePacket(bytes)
      if (packet.format === 'asf') return
      // Some for each packet, all in turn.
      for (let at = 0; at < AT_ONCE; at += 1)
        attempt(() => decoders[(round * AT_ONCE + at) % decoders.length]!(packet.payload))
    })
  }
  expect(counts.values).toBeGreaterThan(ROUNDS)
  expect(counts.errors).toBeGreaterThan(ROUNDS)
})

test(`${ROUNDS} mutated sensor records, FRUs and log entries are read, or refused as such`, patience, () => {
  const entry = Buffer.from('010002000000004100040105815920280000', 'hex')
  const readers = [
    (bytes: Uint8Array): string => {
      const record = readSensorRecord(bytes)
      return record.kind === 'full' ? `full, ${typeof record.convert(bytes[0] ?? 0)}` : record.kind
    },
    (bytes: Uint8Array): string => Object.keys(readFru(summedAgain(bytes))).join(' '),
    (bytes: Uint8Array): string => readLogEntry(bytes).kind,
  ]
  const seen = fuzz([...records, fruBytes(), entry], (bytes, count) => readers[count % readers.length]!(bytes))
  for (const word of ['full, number', 'full, undefined', 'compact', 'chassis board product', 'event', 'oem'])
    expect(seen.get(word), word).toBeGreaterThan(0)
})

/** With right checksums again, or hardly one FRU would be read beyond them. */
function summedAgain(bytes: Uint8Array): Uint8Array {
  const copy = new Uint8Array(bytes)
  const sum = (start: number, length: number): void => {
    const end = start + length - 1
    if (length > 0 && end < copy.length) copy[end] = -copy.subarray(start, end).reduce((all, byte) => all + byte, 0)
  }
  for (const at of copy.slice(2, 5)) sum(at * 8, (copy[at * 8 + 1] ?? 0) * 8)
  sum(0, 8)
  return copy
}

test(`${ROUNDS} mutated packets neither break a BMC nor fill it, and it goes on answering`, patience, async () => {
  const faults: unknown[] = []
  const users = [{ name: 'ipmiusr', password: 'test', privilege: 'administrator' }] as const
  // A million take longer than the minute of silence after which a session is over.
  const clock = { ...systemClock, now: () => 0 }
  const bmc = createBmc({ users, chassis: paperChassis(), clock, onError: (error) => void faults.push(error) })
  const net = paperNet(bmc)
  const login = { username: 'ipmiusr', password: 'test', privilege: 'administrator', timeoutMs: 5000 } as const
  const session = await connect({ socket: net, host: '127.0.0.1', port: 623, clock, ...login })

  const pick = generator(2)
  let answered = 0
  for (let round = 0; round < ROUNDS; round += 1) if (await bmc.receive(mutate(pick, seeds))) answered += 1

  const { pending, active } = bmc.sessions()
  expect(faults).toEqual([])
  expect(answered).toBeGreaterThan(ROUNDS / 100)
  expect(bmc.dropped()).toBeGreaterThan(ROUNDS / 4)
  expect(pending).toBeLessThanOrEqual(16)
  expect(active).toBe(1)
  expect(await session.send(commands.getChassisStatus, undefined)).toMatchObject({ power: { on: false } })
})

test('a console in a hail of mutated answers hears the true one', patience, async () => {
  const users = [{ name: 'ipmiusr', password: 'test', privilege: 'administrator' }] as const
  const chassis = paperChassis()
  const onError = (error: unknown): never => {
    throw error
  }
  const net = paperNet(createBmc({ users, chassis, onError }))
  const login = { username: 'ipmiusr', password: 'test', privilege: 'administrator', timeoutMs: 5000 } as const
  const session = await connect({ socket: net, host: '127.0.0.1', port: 623, ...login })
  const pick = generator(3)
  let hail = 0
  net.noise = function* (answer) {
    for (let count = 0; count < 20; count += 1) {
      hail += 1
      yield mutate(pick, [answer])
    }
  }
  for (let poll = 0; poll < 1000; poll += 1) {
    await chassis.control(poll % 2 === 0 ? 'on' : 'off')
    expect(await session.send(commands.getChassisStatus, undefined)).toMatchObject({ power: { on: poll % 2 === 0 } })
  }
  expect(hail).toBe(20_000)
})
