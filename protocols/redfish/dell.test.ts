import { expect, it, onTestFinished } from 'vitest'
import { connect } from './client.ts'
import { clearJobQueue, resetIdrac } from './dell.ts'
import { beginImport, exportConfiguration, followImport } from './dell-configuration.ts'
import { readClock, resetManager, setClock } from './manager.ts'
import { startRedfish } from './server.ts'
import { dialects } from './service/dialect.ts'
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

interface Profile {
  SystemConfiguration: { Components: { Attributes: { Name: string; Value: string }[] }[] }
}

async function bmcOf(name: string) {
  const dialect = dialects.find((each) => each.name === name)
  const users = [{ name: 'admin', password: 'paper-secret' }]
  const onError = (error: unknown): never => {
    throw error
  }
  const options = { host: '127.0.0.1', port: 0, users, machine: paperMachine(), onError, clock: hasty }
  const server = await startRedfish(dialect ? { ...options, dialect } : options)
  const bmc = await connect({
    address: server.url,
    username: 'admin',
    password: 'paper-secret',
    timeoutMs: 5_000_000,
    clock: hasty,
  })
  onTestFinished(async () => {
    await bmc.close()
    await server.close()
  })
  return { bmc, server, system: await findSystem(bmc) }
}

it('an iDRAC clears its job queue, and restarts', async () => {
  const { bmc, server, system } = await bmcOf('dell')
  server.state.tasks.set('1', { id: '1', name: 'hangs', beganAt: '', endsAt: Infinity, finish: () => ({}), told: {} })
  await clearJobQueue(bmc, system)
  expect(server.state.tasks.size).toBe(0)
  await clearJobQueue(bmc, system, true)
  await resetIdrac(bmc, system)
  expect(server.state.sessions.size).toBe(0)
})

it('an iDRAC exports its configuration, and takes it back changed; what it left out is an error', async () => {
  const { bmc, server, system } = await bmcOf('dell')
  const profile = structuredClone(await exportConfiguration(bmc, system)) as unknown as Profile
  const { Attributes } = profile.SystemConfiguration.Components[0]!
  expect(Attributes).toContainEqual(expect.objectContaining({ Name: 'NumLock', Value: 'On' }))
  Attributes.find(({ Name }) => Name === 'NumLock')!.Value = 'Off'
  const told: number[] = []
  await followImport(bmc, await beginImport(bmc, system, { ...profile }), (percent) => told.push(percent))
  expect(server.state.bios.attributes).toMatchObject({ NumLock: 'Off', BootTimeout: 5, QuietBoot: true })
  expect(told.at(-1)).toBe(100)
  Attributes.push({ Name: 'Nonsense', Value: '1' })
  await expect(followImport(bmc, await beginImport(bmc, system, { ...profile }))).rejects.toThrow(
    /import a configuration: .*ended in state Completed, in part, "Import completed with errors: no attribute Nonsense/,
  )
}, 60_000)

it('others say that they are no iDRAC', async () => {
  const { bmc, system } = await bmcOf('standard')
  await expect(clearJobQueue(bmc, system)).rejects.toThrow(/clear the job queue: .*is it an iDRAC 9 or newer/)
})

it('any BMC restarts, with a session of its own afterwards, and keeps the clock it is given', async () => {
  const { bmc, system } = await bmcOf('standard')
  await setClock(bmc, system, '2026-01-02T03:04:05+00:00', '+00:00')
  await resetManager(bmc, system)
  expect(await readClock(bmc, system)).toBe('2026-01-02T03:04:05+00:00')
})
