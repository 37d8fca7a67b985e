import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { CommandFailure } from '../failure.ts'
import { createLog } from '../log.ts'
import { createApp } from './app.ts'
import { command, CommandLedger, type CommandTable } from './commands.ts'

const token = 'a-token-of-at-least-thirty-two-letters'

function agent() {
  let release = (): void => undefined
  let finished = 0
  let ids = 0
  const anything = z.looseObject({})
  const table: CommandTable = {
    standby: {
      sync: command(false, z.looseObject({ depth: z.number().optional() }), () => Promise.resolve('synced')),
      power_off: command(true, anything, () => Promise.resolve('off')),
    },
    deploy: {
      execute_deploy_step: command(true, anything, async (_, { progress }) => {
        progress({ percent: 40, mb_per_second: 12, bytes: 400 })
        await new Promise<void>((resolve) => (release = resolve))
        return { deploy_result: null }
      }),
      fail: command(false, anything, () => Promise.reject(new CommandFailure('DeviceNotFound', 'no disk'))),
    },
  }
  const log = createLog(
    () => undefined,
    () => 0,
  )
  const ledger = new CommandLedger({ table, log, newId: () => `id-${ids++}`, finished: () => finished++ })
  const app = createApp({ ledger, log, token, version: '1.2.3', startedAt: 17 })
  const post = (body: unknown, query = `agent_token=${token}`) =>
    app.request(`https://192.0.2.5:9999/v1/commands/?${query}`, { method: 'POST', body: JSON.stringify(body) })
  return { app, post, release: () => release(), finished: () => finished }
}

it('tells an old conductor, which asks without a token, what became of its commands: from where the token was shown before', async () => {
  const { app } = agent()
  const from = (remoteAddress: string) => ({ incoming: { socket: { remoteAddress } } })
  const list = async (address: string, query = '') =>
    (await app.request(`/v1/commands/${query}`, {}, from(address))).status
  const give = (address: string, query: string) =>
    app.request(`/v1/commands/?${query}`, { method: 'POST', body: '{"name":"standby.sync"}' }, from(address))
  expect(await list('192.0.2.1')).toBe(401)
  expect((await give('192.0.2.1', 'agent_token=wrong')).status).toBe(401)
  expect(await list('192.0.2.1')).toBe(401)
  expect((await give('192.0.2.1', `agent_token=${token}`)).status).toBe(200)
  expect(await list('192.0.2.1')).toBe(200)
  expect(await list('192.0.2.1', '?agent_token=wrong')).toBe(401)
  expect(await list('192.0.2.2')).toBe(401)
  expect((await give('192.0.2.1', '')).status).toBe(401)
})

describe('anybody', () => {
  it('may read what this is and since when it runs', async () => {
    const { app } = agent()
    const root = await app.request('https://192.0.2.5:9999/')
    expect(await root.json()).toMatchObject({
      versions: [{ id: 'v1', links: [{ href: 'https://192.0.2.5:9999/v1/' }] }],
      default_version: { id: 'v1' },
    })
    expect(await (await app.request('/v1/status')).json()).toEqual({ started_at: 17, version: '1.2.3' })
    expect((await app.request('/v1/')).status).toBe(200)
  })

  it.each(['', 'agent_token=', 'agent_token=wrong'])('may not command with %j', async (query) => {
    const { app, post } = agent()
    const refused = await post({ name: 'standby.sync', params: {} }, query)
    expect(refused.status).toBe(401)
    expect(await refused.json()).toEqual({ faultcode: 'Client', faultstring: 'Token invalid.' })
    expect((await app.request(`/v1/commands?${query}`)).status).toBe(401)
    expect((await app.request(`/v1/commands/id-0?${query}`)).status).toBe(401)
  })
})

describe('a command', () => {
  it('that is synchronous answers with its result', async () => {
    const { post } = agent()
    expect(await (await post({ name: 'standby.sync', params: {} })).json()).toEqual({
      id: 'id-0',
      command_name: 'sync',
      command_status: 'SUCCEEDED',
      command_error: null,
      command_result: { result: 'synced' },
    })
  })

  it('that is asynchronous answers while it runs, with its progress, and keeps others out', async () => {
    const { app, post, release, finished } = agent()
    const running = await (await post({ name: 'deploy.execute_deploy_step' })).json()
    expect(running).toMatchObject({
      command_status: 'RUNNING',
      command_progress: { percent: 40, mb_per_second: 12, bytes: 400 },
    })
    const busy = await post({ name: 'standby.sync' })
    expect(busy.status).toBe(409)
    expect(await busy.json()).toMatchObject({
      faultstring: 'Agent is busy: executing command execute_deploy_step',
    })
    expect(finished()).toBe(0)
    const waiting = app.request(`/v1/commands/id-0?wait=true&agent_token=${token}`)
    release()
    const done: unknown = await (await waiting).json()
    expect(done).toMatchObject({ command_status: 'SUCCEEDED', command_result: { deploy_result: null } })
    expect(done).not.toHaveProperty('command_progress')
    expect(finished()).toBe(1)
    expect((await post({ name: 'standby.sync' })).status).toBe(200)
  })

  it('that is asynchronous answers with its end when the caller waits, named in a textual result', async () => {
    const { post } = agent()
    const done: unknown = await (await post({ name: 'standby.power_off' }, `wait=true&agent_token=${token}`)).json()
    expect(done).toMatchObject({ command_status: 'SUCCEEDED', command_result: { result: 'power_off: off' } })
  })

  it('that fails says so in its result, not in the status of the reply', async () => {
    const { post } = agent()
    const reply = await post({ name: 'deploy.fail' })
    expect(reply.status).toBe(200)
    expect(await reply.json()).toMatchObject({
      command_status: 'FAILED',
      command_error: { type: 'DeviceNotFound', code: 500, message: 'no disk', details: 'no disk' },
    })
  })

  it.each([
    [{ name: 'nonsense.sync' }, 404],
    [{ name: 'standby.nonsense' }, 400],
    [{ name: '__proto__.constructor' }, 400],
    [{ name: 'constructor.name' }, 404],
    [{ name: 'standby.constructor' }, 400],
    [{ name: 'sync' }, 400],
    [{ name: 'standby.sync', params: 7 }, 400],
    [{ name: 'standby.sync', params: { depth: 'deep' } }, 400],
    ['', 400],
  ])('%j is refused with %i', async (body, status) => {
    const reply = await agent().post(body)
    expect(reply.status).toBe(status)
    expect(await reply.json()).toHaveProperty('faultstring')
  })

  it('that nobody issued is not found', async () => {
    const { app } = agent()
    expect((await app.request(`/v1/commands/none?agent_token=${token}`)).status).toBe(404)
    const all = await app.request(`/v1/commands/?agent_token=${token}`)
    expect(await all.json()).toEqual({ commands: [] })
  })
})
