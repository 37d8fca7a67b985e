import { expect, it, onTestFinished } from 'vitest'
import { connect } from './client.ts'
import { clearForeignConfiguration, convertControllersToRaid, convertDrivesToRaid, followJob } from './dell-raid.ts'
import { reset } from './power.ts'
import { startRedfish } from './server.ts'
import { type Dialect, dialects, standardDialect } from './service/dialect.ts'
import { readStorage } from './storage.ts'
import { findSystem } from './system.ts'
import { paperMachine } from './testing/paper-machine.ts'

/** A hundred times as fast. */
const hasty = {
  now: () => performance.now() * 100,
  after: (ms: number, run: () => void) => {
    const timer = setTimeout(run, ms / 100)
    return () => clearTimeout(timer)
  },
}
const idrac = dialects.find(({ name }) => name === 'dell')!

async function bmcOf(dialect: Dialect = idrac) {
  const users = [{ name: 'admin', password: 'paper-secret' }]
  const onError = (error: unknown): never => {
    throw error
  }
  const options = { host: '127.0.0.1', port: 0, users, machine: paperMachine(), dialect, onError, clock: hasty }
  const server = await startRedfish(options)
  const login = { username: 'admin', password: 'paper-secret', timeoutMs: 5_000_000, clock: hasty }
  const bmc = await connect({ address: server.url, ...login })
  onTestFinished(async () => {
    await bmc.close()
    await server.close()
  })
  return { bmc, state: server.state, system: await findSystem(bmc) }
}

it('a foreign configuration is cleared while the machine runs, where the controller can; none is no job', async () => {
  const { bmc, state, system } = await bmcOf()
  expect(await clearForeignConfiguration(bmc, system)).toEqual([])
  state.dellRaid.foreign = true
  const [job, ...more] = await clearForeignConfiguration(bmc, system)
  expect([job, more]).toMatchObject([{ restarts: false }, []])
  await followJob(bmc, job!)
  expect(state.dellRaid.foreign).toBe(false)
})

it('drives outside of RAID are brought under it, those of the wish only', async () => {
  const { bmc, state, system } = await bmcOf()
  const drives = (await readStorage(bmc, system))[0]!.drives.map(({ path }) => path)
  expect(await convertDrivesToRaid(bmc, system, drives)).toEqual([])
  state.dellRaid.outside.add('Bay1').add('Bay2')
  const [job] = await convertDrivesToRaid(bmc, system, drives.slice(0, 1))
  await followJob(bmc, job!)
  expect([...state.dellRaid.outside]).toEqual(['Bay2'])
})

it('what a controller does only at a restart waits for one', async () => {
  const { bmc, state, system } = await bmcOf()
  Object.assign(state.dellRaid, { mode: 'EnhancedHBA', foreign: true, realTime: false })
  const [mode] = await convertControllersToRaid(bmc, system)
  const [foreign] = await clearForeignConfiguration(bmc, system)
  expect([mode, foreign]).toMatchObject([{ restarts: true }, { restarts: true }])
  await reset(bmc, system, 'on')
  for (const job of [mode!, foreign!]) await followJob(bmc, job)
  expect(state.dellRaid).toMatchObject({ mode: 'RAID', foreign: false })
  expect(await convertControllersToRaid(bmc, system)).toEqual([])
})

it('a job that the BMC has forgotten is over; another machine has no such service', async () => {
  const { bmc, state, system } = await bmcOf()
  state.dellRaid.foreign = true
  const [job] = await clearForeignConfiguration(bmc, system)
  const following = followJob(bmc, job!)
  state.tasks.clear()
  await following
  const other = await bmcOf(standardDialect)
  await expect(clearForeignConfiguration(other.bmc, other.system)).rejects.toThrow(/no DellRaidService.*iDRAC 9/)
})
