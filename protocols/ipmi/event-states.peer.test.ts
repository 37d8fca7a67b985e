import { afterEach, beforeEach, expect, test } from 'vitest'
import { connect } from './client.ts'
import { addSelEntry } from './event-log-commands.ts'
import { readEventLog } from './event-log.ts'
import { describeEntry } from './event-states.ts'
import { type RunningBmc, startBmc } from './server.ts'
import { openIpmiSocket } from './socket.ts'
import { freeipmi } from './testing/freeipmi.ts'
import { paperChassis } from './testing/paper-chassis.ts'

const user = { name: 'admin', password: 'secret', privilege: 'administrator' } as const

let bmc: RunningBmc
beforeEach(async () => {
  const onError = (error: unknown): never => {
    throw error
  }
  bmc = await startBmc({ host: '127.0.0.1', port: 0, users: [user], chassis: paperChassis(), onError })
})
afterEach(() => bmc.close())

/** Sensor type, event type and offset of every state that says something is wrong, of kinds that servers have. */
const states: ReadonlyArray<readonly [number, number, number]> = [
  ...[0, 2, 4, 7, 9, 11].map((offset) => [0x01, 0x01, offset] as const),
  ...[0, 1, 2, 3, 5].map((offset) => [0x07, 0x6f, offset] as const),
  ...[1, 2, 3, 4, 5, 6].map((offset) => [0x08, 0x6f, offset] as const),
  ...[0, 1, 2, 4, 5].map((offset) => [0x0c, 0x6f, offset] as const),
  ...[1, 2, 5, 6].map((offset) => [0x0d, 0x6f, offset] as const),
  ...[4, 5, 7, 8, 10].map((offset) => [0x13, 0x6f, offset] as const),
  ...[1, 2, 5].map((offset) => [0x04, 0x0b, offset] as const),
]

test('what is wrong by our tables is wrong by freeipmi’s', async () => {
  const socket = openIpmiSocket()
  const { name: username, password, privilege } = user
  const login = { username, password, privilege, timeoutMs: 30_000 }
  const session = await connect({ socket, host: '127.0.0.1', port: bmc.port, ...login })
  for (const [sensorType, eventType, offset] of states) {
    const entry = Uint8Array.from([0, 0, 2, 0, 0, 0, 0, 0x20, 0, 4, sensorType, 9, eventType, offset, 0xff, 0xff])
    await session.send(addSelEntry, { entry })
  }
  const ours = (await readEventLog(session, 1000)).map((entry) => describeEntry(entry))
  await session.close()
  await socket.close()
  const options = '--output-event-state --comma-separated-output --no-header-output --ignore-sdr-cache'
  const theirs = (await freeipmi('ipmi-sel', bmc, user, ['-I', '17', ...options.split(' ')])).trim().split('\n')
  expect(theirs).toHaveLength(states.length)
  const judged = ours.map(({ text, severity }, index) => {
    const [, , , , , state = ''] = (theirs[index] ?? '').split(',')
    return { text, severity, state: state.toLowerCase() }
  })
  expect(judged.filter(({ state }) => state !== 'warning' && state !== 'critical')).toEqual([])
  expect(judged.filter(({ severity, state }) => severity === 'critical' && state !== 'critical')).toEqual([])
  // What still works is no emergency yet, whatever freeipmi calls it.
  const milder = judged.filter(({ severity, state }) => severity !== state).map(({ text }) => text)
  expect(milder).toEqual([
    'power supply 9: predicted to fail',
    'power supply 9: input out of range',
    'power supply 9: configuration error',
    'drive slot 9: disk predicted to fail',
    'drive slot 9: in a critical array',
    'fan 9: redundancy lost',
  ])
})
