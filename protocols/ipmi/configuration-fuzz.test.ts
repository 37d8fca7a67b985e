import { WireError } from '@bloomery/wire/error.ts'
import { FUZZ_DEADLINE_MS, FUZZ_PACKETS, randomFrom } from '@bloomery/wire/fuzzing.ts'
import { expect, test } from 'vitest'
import { runCommand } from './bmc-commands.ts'
import { commandHost } from './bmc-host.ts'
import type { ActiveSession } from './bmc-sessions.ts'
import type { IpmiSession } from './client.ts'
import type { Clock } from './clock.ts'
import { decodeWith, encodeWith } from './command.ts'
import * as dcmi from './dcmi.ts'
import { CommandFailed, IpmiError, MalformedAnswer } from './error.ts'
import { clearEventLog, readClock, setClock } from './event-log.ts'
import { readLan, writeLan } from './lan.ts'
import { readSensorRecord, type SensorRecord } from './sdr.ts'
import { paperChassis } from './testing/paper-chassis.ts'
import { paperInventory, records } from './testing/paper-inventory.ts'
import { virtualClock } from './testing/virtual-clock.ts'
import { readThresholds, setThresholds } from './thresholds.ts'
import { listUsers, testUserPassword } from './users.ts'
import { getWatchdog } from './watchdog-commands.ts'

/** Each takes some true ones with it, so every day has fewer. */
const REPLIES = FUZZ_PACKETS > 100_000 ? FUZZ_PACKETS : FUZZ_PACKETS / 5
const patience = { timeout: FUZZ_DEADLINE_MS }
const users = [{ name: 'admin', password: 'secret', privilege: 'administrator' }] as const
/** Every command that the BMC's tables could have. */
const netFns = [0x00, 0x04, 0x06, 0x0a, 0x0c, 0x2c]

function begin() {
  const faults: unknown[] = []
  const onError = (error: unknown): void => void faults.push(error)
  const behind = { channel: 0, address: 0x82, chassis: paperChassis() }
  const options = { users, chassis: paperChassis(), inventory: paperInventory(), clock: virtualClock(), onError }
  const host = commandHost({ ...options, satellites: [behind], ipmi15: true })
  const session = { id: 1, privilege: 4, ceiling: 4 } as ActiveSession
  return {
    faults,
    run: (netFn: number, code: number, data: Uint8Array) => runCommand(netFn, code, data, host, session),
  }
}

function mutated(bytes: Uint8Array, random: (below: number) => number): Uint8Array {
  const copy = Uint8Array.from(random(6) === 0 ? bytes.subarray(0, random(bytes.length + 1)) : bytes)
  for (let changes = random(4); changes > 0 && copy.length > 0; changes -= 1) copy[random(copy.length)] = random(256)
  return copy
}

test(
  `${FUZZ_PACKETS} requests of any bytes, to any command: each has an answer, and nothing breaks`,
  patience,
  async () => {
    const { faults, run } = begin()
    const random = randomFrom(77)
    const answers = new Map<number, number>()
    for (let count = 0; count < FUZZ_PACKETS; count += 1) {
      const netFn = netFns[random(netFns.length)]!
      const data = Uint8Array.from({ length: random(26) }, () => (random(3) === 0 ? random(256) : random(8)))
      if (netFn === 0x2c && random(4) > 0) data[0] = 0xdc
      const [code] = await run(netFn, random(0x60), data)
      if (code === undefined) throw new Error(`no completion code: ${netFn} ${Buffer.from(data).toString('hex')}`)
      answers.set(code, (answers.get(code) ?? 0) + 1)
    }
    expect(faults).toEqual([])
    for (const code of [0x00, 0x80, 0xc1, 0xc5, 0xc9, 0xcb, 0xcc, 0xcd])
      expect(answers.get(code), code.toString(16)).toBeGreaterThan(0)
    // It is still itself.
    expect(await run(0x06, 0x04, new Uint8Array(0))).toEqual(Uint8Array.of(0, 0x55, 0))
  },
)

/** Time that is over at once: whoever waits is done waiting. */
const hasty: Clock = {
  now: () => 0,
  after: (_ms, run) => {
    queueMicrotask(run)
    return () => undefined
  },
}
const [full] = records.map((record) => readSensorRecord(record))
const inlet = full as SensorRecord & { kind: 'full' }

const works: Record<string, (session: IpmiSession) => Promise<unknown>> = {
  listUsers,
  testUserPassword: (session) => testUserPassword(session, 2, 'secret'),
  readLan,
  writeLan: (session) => writeLan(session, { source: 'static', address: '10.0.0.1', vlan: 7, community: 'x' }),
  readDcmiCapabilities: dcmi.readDcmiCapabilities,
  readPowerReading: dcmi.readPowerReading,
  readPowerLimit: dcmi.readPowerLimit,
  limitPower: (session) => dcmi.limitPower(session, { watts: 9, action: 'off', correctionMs: 1, periodSeconds: 1 }),
  readAssetTag: dcmi.readAssetTag,
  readControllerId: dcmi.readControllerId,
  readThresholds: (session) => readThresholds(session, inlet),
  setThresholds: (session) => setThresholds(session, inlet, { upperCritical: 30 }),
  readClock,
  setClock: (session) => setClock(session, new Date(0), 60),
  clearEventLog: (session) => clearEventLog(session, hasty),
  getWatchdog: (session) => session.send(getWatchdog, undefined),
}

test(`${REPLIES} mutated replies to them: every work ends, well or with an IpmiError`, patience, async () => {
  const { run } = begin()
  const random = randomFrom(78)
  const seen = new Map<string, number>()
  const replies = { strange: 0 }
  const subject = { host: 'h', port: 623 }
  const session: IpmiSession = {
    ...subject,
    cipherSuite: 17,
    close: () => Promise.resolve(),
    async send(command, request) {
      const { netFn, code, name: operation } = command
      const reply = await run(netFn, code, encodeWith(command.request, request))
      // Most are true, so that works of many commands get into their depths.
      const strange = random(4) === 0
      if (strange) replies.strange += 1
      const [completion = 0xff, ...data] = strange ? mutated(reply, random) : reply
      if (completion !== 0) throw new CommandFailed({ ...subject, operation }, completion)
      try {
        return decodeWith(command.response, Uint8Array.from(data))
      } catch (error) {
        throw error instanceof WireError ? new MalformedAnswer({ ...subject, operation }, error) : error
      }
    },
  }
  const names = Object.keys(works)
  for (; replies.strange < REPLIES;) {
    const name = names[random(names.length)]!
    const outcome = await works[name]!(session).then(
      () => 'done',
      (error: unknown) => {
        if (!(error instanceof IpmiError)) throw new Error(name, { cause: error })
        return error.name
      },
    )
    seen.set(`${name} ${outcome}`, (seen.get(`${name} ${outcome}`) ?? 0) + 1)
  }
  for (const name of names) expect(seen.get(`${name} done`), name).toBeGreaterThan(0)
  for (const outcome of ['CommandFailed', 'MalformedAnswer'])
    expect([...seen.keys()].filter((each) => each.endsWith(outcome)).length, outcome).toBeGreaterThan(5)
})
