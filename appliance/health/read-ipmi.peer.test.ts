import { connect, type IpmiSession } from '@bloomery/ipmi/client.ts'
import { addSelEntry } from '@bloomery/ipmi/event-log-commands.ts'
import { openIpmiSocket } from '@bloomery/ipmi/socket.ts'
import { type IpmiSim, simUser, startIpmiSim } from '@bloomery/ipmi/testing/ipmi-sim.ts'
import { afterAll, afterEach, beforeEach, expect, test } from 'vitest'
import { type Ask, GaveWay } from './look.ts'
import { readIpmiHealth } from './read-ipmi.ts'

/** A look at a BMC that somebody else wrote. */

let sim: IpmiSim
let session: IpmiSession
const socket = openIpmiSocket()
beforeEach(async () => {
  sim = await startIpmiSim()
  const login = { ...simUser, privilege: 'administrator', timeoutMs: 30_000 } as const
  session = await connect({ socket, host: '127.0.0.1', port: sim.port, ...login })
})
afterEach(async () => {
  await session.close()
  await sim.stop()
})
afterAll(() => socket.close())

let questions = 0
const ask: Ask = (question) => {
  questions += 1
  return question()
}

test('ipmi_sim’s sensors and log are read; records once, and of the log what is new', async () => {
  const first = await readIpmiHealth(session, null, ask)
  expect(first.readings).toContainEqual({ name: 'Inlet', kind: 'temperature', value: 23.5, unit: '°C', level: 'OK' })
  expect(first).toMatchObject({ ailments: [], log: { entries: [], erased: false } })
  questions = 0
  const second = await readIpmiHealth(session, first.kept, ask)
  expect(second.readings).toEqual(first.readings)
  // Whether records and log are as they were, its four sensors, of which one can be read, and what it draws, which it doesn't know.
  expect(questions).toBe(7)
  const entry = Buffer.from('000002000000002000040c096f01ffff', 'hex')
  await session.send(addSelEntry, { entry })
  const third = await readIpmiHealth(session, second.kept, ask)
  expect(third.log.entries).toMatchObject([{ level: 'Critical', text: 'memory 9: uncorrectable ECC error' }])
  expect((await readIpmiHealth(session, third.kept, ask)).log.entries).toEqual([])
})

test('a look that has to give way ends at the next question, and the session goes on', async () => {
  let left = 3
  const busy: Ask = async (question) => {
    if (left === 0) throw new GaveWay()
    left -= 1
    return question()
  }
  await expect(readIpmiHealth(session, null, busy)).rejects.toThrow(GaveWay)
  expect((await readIpmiHealth(session, null, ask)).readings.length).toBeGreaterThan(0)
})
