import { describe, expect, it, onTestFinished } from 'vitest'
import { putAccount, readAccounts } from './account.ts'
import { connect, type Redfish } from './client.ts'
import { type RunningRedfish, startRedfish } from './server.ts'
import { type Dialect, dialects } from './service/dialect.ts'
import { paperMachine } from './testing/paper-machine.ts'

const user = { name: 'admin', password: 'paper-secret' }

async function start(
  dialect: Dialect,
): Promise<{ server: RunningRedfish; bmc: Redfish; open(name: string, password: string): Promise<Redfish> }> {
  const onError = (error: unknown): never => {
    throw error
  }
  const server = await startRedfish({
    host: '127.0.0.1',
    port: 0,
    users: [user],
    machine: paperMachine(),
    dialect,
    onError,
  })
  onTestFinished(() => server.close())
  const open = async (username: string, password: string): Promise<Redfish> => {
    const bmc = await connect({ address: server.url, username, password, timeoutMs: 20_000 })
    onTestFinished(() => bmc.close())
    return bmc
  }
  return { server, open, bmc: await open(user.name, user.password) }
}

// One that makes accounts, and one that has slots for them.
describe.each([dialects[0]!, dialects.find(({ name }) => name === 'dell')!])(
  'a BMC that speaks as $name',
  (dialect) => {
    it('has an account made, changed and switched off, each at once and twice', async () => {
      const { bmc, open } = await start(dialect)
      const worker = { name: 'worker', password: 'long-enough', role: 'Operator' }
      for (let count = 0; count < 2; count += 1) await putAccount(bmc, worker)
      await readAccounts(await open('worker', 'long-enough'))
      await putAccount(bmc, { name: 'worker', password: 'another-one' })
      await expect(open('worker', 'long-enough').then(readAccounts)).rejects.toThrow(/log in: user "worker"/)
      await readAccounts(await open('worker', 'another-one'))
      await putAccount(bmc, { name: 'worker', enabled: false })
      await expect(open('worker', 'another-one').then(readAccounts)).rejects.toThrow(/log in: user "worker"/)
      expect(await readAccounts(bmc)).toEqual([
        { name: 'admin', enabled: true, role: 'Administrator' },
        { name: 'worker', enabled: false, role: 'Operator' },
      ])
    })

    it('makes nobody without a password, and what it refuses is told without the password', async () => {
      const { bmc, server } = await start(dialect)
      await expect(putAccount(bmc, { name: 'ghost', role: 'Operator' })).rejects.toThrow(/needs a password and a role/)
      const refused = putAccount(bmc, { name: 'ghost', password: 'sh0rt', role: 'Operator' }).catch(
        (error: Error) => error,
      )
      expect(String(await refused)).toMatch(/set user "ghost": HTTP 400/)
      expect(String(await refused)).not.toMatch(/sh0rt/)
      expect(server.state.users).toHaveLength(1)
    })
  },
)
