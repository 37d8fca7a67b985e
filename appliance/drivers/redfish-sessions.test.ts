import { startRedfish } from '@bloomery/redfish/server.ts'
import { paperMachine } from '@bloomery/redfish/testing/paper-machine.ts'
import { readPower } from '@bloomery/redfish/power.ts'
import { expect, it, onTestFinished } from 'vitest'
import { HardwareError } from '../hardware-error.ts'
import type { RedfishSession } from './redfish-session.ts'
import { RedfishSessions } from './redfish-sessions.ts'

const power = ({ bmc, system }: RedfishSession) => readPower(bmc, system)
const patient = { timeout: 30_000, interval: 10 }

async function site() {
  let now = 0
  const due: (() => void)[] = []
  const after = (_: number, run: () => void) => {
    due.push(run)
    return () => {}
  }
  const pass = (ms: number): void => {
    now += ms
    for (const run of due.splice(0)) run()
  }
  const users = [{ name: 'admin', password: 'before' }]
  const server = await startRedfish({ host: '127.0.0.1', port: 0, users, machine: paperMachine(), onError: () => {} })
  const sessions = new RedfishSessions({ clock: { now: () => now, after }, idleMs: 1000 })
  onTestFinished(async () => {
    await sessions.close()
    await server.close()
  })
  const info = (redfish_password: string) => ({
    redfish_address: server.url,
    redfish_username: 'admin',
    redfish_password,
  })
  return { server, sessions, pass, info }
}

it('a session that nobody has asked for a while is closed, and its password not kept', async () => {
  const { server, sessions, pass, info } = await site()
  await sessions.use(info('before'), power)
  pass(600)
  await sessions.use(info('before'), power)
  pass(600)
  expect([sessions.open, server.state.sessions.size]).toEqual([1, 1])
  pass(600)
  expect(sessions.open).toBe(0)
  await expect.poll(() => server.state.sessions.size, patient).toBe(0)
  await sessions.use(info('before'), power)
  expect(sessions.open).toBe(1)
})

it('who is in the middle of something keeps it', async () => {
  const { sessions, pass, info } = await site()
  const { promise: gate, resolve: go } = Promise.withResolvers<void>()
  const slow = sessions.use(info('before'), async (session) => {
    await gate
    return power(session)
  })
  await sessions.use(info('before'), power)
  for (let times = 0; times < 4; times += 1) pass(600)
  expect(sessions.open).toBe(1)
  go()
  expect(await slow).toBe('off')
})

it('one that could not be opened is not kept', async () => {
  const { sessions, info } = await site()
  await expect(sessions.use(info('wrong'), power)).rejects.toThrow(HardwareError)
  expect(sessions.open).toBe(0)
})
