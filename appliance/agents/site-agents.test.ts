import { afterEach, beforeEach, expect, it } from 'vitest'
import type { CommandResult } from '../../contract/agent.ts'
import { HardwareError } from '../hardware-error.ts'
import { openAgentRows, type AgentRows } from '../ledger/agents.ts'
import { openLedger, type Ledger } from '../ledger/ledger.ts'
import { openVault } from '../ledger/vault.ts'
import { ManualClock, settled } from '../testing/manual-clock.ts'
import { machine, plan, step } from '../testing/plans.ts'
import { stepContext } from '../testing/step-context.ts'
import type { Agents } from './agents.ts'
import { AgentBusy, AgentRefusal, type AgentAddress } from './client.ts'
import { siteAgents } from './site-agents.ts'

const of = machine({ driver_info: { ipmi_password: 'hush' } })
const work = plan(of, 1, [step('deploy.write_image')])
const busyWork = {
  step: { interface: 'deploy', step: 'write_image' },
  args: { image_info: {} },
  busy: 'writing',
  percent: (own: number) => own,
}
let clock: ManualClock
let ledger: Ledger
let rows: AgentRows
let agents: Agents
let stop: AbortController
/** The machine's agent: what it was told, and what goes wrong on the way to it. */
let commands: CommandResult[]
let given: { name: string; params: Record<string, unknown>; to: AgentAddress }[]
let fault: (nth: number, what: string) => Error | undefined
let calls: number

beforeEach(() => {
  clock = new ManualClock()
  ledger = openLedger(':memory:')
  rows = openAgentRows(ledger, openVault('key'))
  rows.giveToken(of.node, 'token', clock.now())
  rows.heartbeat(of.node, clock.now(), { url: 'https://192.0.2.9:9999', certificate: 'pem', version: '1' })
  stop = new AbortController()
  commands = []
  given = []
  calls = 0
  fault = () => undefined
  const client = {
    async command(to: AgentAddress, name: string, params: Record<string, unknown>, wait: boolean) {
      calls += 1
      const wrong = fault(calls, name)
      if (wrong && !wrong.message.includes('after')) throw wrong
      given.push({ name, params, to })
      const result: CommandResult = {
        id: `c${given.length}`,
        command_name: name.split('.')[1]!,
        command_status: wait ? 'SUCCEEDED' : 'RUNNING',
        command_error: null,
        command_result: wait ? { told: name } : null,
      }
      commands.push(result)
      if (wrong) throw wrong
      return { ...result }
    },
    async commands() {
      calls += 1
      const wrong = fault(calls, 'list')
      if (wrong) throw wrong
      return commands.map((each) => ({ ...each }))
    },
  }
  agents = siteAgents({ rows, client, token: () => 't'.repeat(43), clock, lastSeen: () => undefined })
})
afterEach(() => ledger.close())

const broken = (text = 'ECONNRESET'): Error => new HardwareError(text)
const context = (memo?: Map<string, string>) => stepContext(work, clock, stop.signal, memo)
function end(more: Partial<CommandResult> = {}): void {
  Object.assign(commands.at(-1)!, { command_status: 'SUCCEEDED', ...more })
}
async function outcome<T>(of: Promise<T>, ms: number): Promise<{ value?: T; error?: Error }> {
  const settled = of.then(
    (value) => ({ value }),
    (error: Error) => ({ error }),
  )
  await clock.advance(ms)
  return settled
}

it('asks the agent where its heartbeat said, with its token and certificate', async () => {
  expect(await agents.call(context().on, 'standby.sync', { a: 1 })).toEqual({ told: 'standby.sync' })
  expect(given).toEqual([
    {
      name: 'standby.sync',
      params: { a: 1 },
      to: { url: 'https://192.0.2.9:9999', token: 'token', certificate: 'pem' },
    },
  ])
})

it('tries again while the connection fails', async () => {
  fault = (nth) => (nth < 6 ? broken() : undefined)
  expect(await outcome(agents.call(context().on, 'standby.sync', {}), 60_000)).toMatchObject({ value: {} })
  expect(calls).toBe(6)
})

it('gives up when the agent stays away for two minutes, and says why', async () => {
  fault = () => broken('agent at x: no answer')
  const began = clock.now().getTime()
  const { error } = await outcome(agents.call(context().on, 'standby.sync', {}), 130_000)
  expect(error?.message).toBe('agent at x: no answer')
  expect(clock.now().getTime() - began).toBeLessThanOrEqual(130_000)
})

it('takes a refusal for an answer', async () => {
  fault = () => new AgentRefusal('Token invalid.')
  await expect(agents.call(context().on, 'standby.sync', {})).rejects.toThrow('Token invalid.')
  expect(calls).toBe(1)
})

it('waits for an agent that is busy', async () => {
  fault = (nth) => (nth < 4 ? new AgentBusy('Agent is busy') : undefined)
  expect(await outcome(agents.call(context().on, 'standby.sync', {}), 60_000)).toMatchObject({ value: {} })
})

it('follows a step to its end and tells how far it is', async () => {
  const { on, notes } = context()
  const running = outcome(agents.runStep(on, 'deploy', busyWork), 10_000)
  await clock.advance(3000)
  commands[0]!.command_progress = { percent: 40, mb_per_second: 110, bytes: 1 }
  await clock.advance(3000)
  end()
  await clock.advance(3000)
  expect((await running).error).toBeUndefined()
  expect(given.map(({ name }) => name)).toEqual(['deploy.execute_deploy_step'])
  expect(notes).toContainEqual({ text: 'writing, 110 MB/s', percent: 40 })
})

it('shows agents nothing of driver_info', async () => {
  const running = outcome(agents.runStep(context().on, 'deploy', busyWork), 1000)
  await settled()
  end()
  await clock.advance(3000)
  await running
  expect(JSON.stringify(given)).not.toContain('hush')
  expect(given[0]!.params).toMatchObject({ node: { uuid: of.node, driver_internal_info: {} }, deploy_version: null })
})

it('tells a step what Ironic’s conductor would in driver_internal_info', async () => {
  const internal = { agent_erase_devices_iterations: 3 }
  const running = outcome(agents.runStep(context().on, 'clean', { ...busyWork, internal }), 1000)
  await settled()
  end()
  await clock.advance(3000)
  await running
  expect(given[0]!.params).toMatchObject({ node: { driver_internal_info: internal } })
})

it('says what the agent’s command failed of', async () => {
  const running = outcome(agents.runStep(context().on, 'deploy', busyWork), 1000)
  await settled()
  end({
    command_status: 'FAILED',
    command_error: { type: 'X', code: 500, message: 'm', details: 'the disk is too small' },
  })
  await clock.advance(3000)
  expect((await running).error?.message).toBe("the agent's execute_deploy_step failed: the disk is too small")
})

it('finds a command that was taken though its answer was lost', async () => {
  fault = (_, what) => (given.length === 0 && what !== 'list' ? broken('lost after it was taken') : undefined)
  const running = outcome(agents.runStep(context().on, 'deploy', busyWork), 5000)
  await clock.advance(5000)
  end()
  await clock.advance(3000)
  expect((await running).error).toBeUndefined()
  expect(given.length).toBe(1)
})

it('after a crash goes on with the command that it gave before', async () => {
  const { on, memo } = context()
  void agents.runStep(on, 'deploy', busyWork).catch(() => {})
  await clock.advance(1000)
  stop.abort(new Error('power cut'))
  stop = new AbortController()
  const running = outcome(agents.runStep(context(memo).on, 'deploy', busyWork), 1000)
  await settled()
  end()
  await clock.advance(3000)
  expect((await running).error).toBeUndefined()
  expect(given.length).toBe(1)
})

it('does not take an earlier step’s command for its own', async () => {
  const first = outcome(agents.runStep(context().on, 'clean', busyWork), 1000)
  await settled()
  end()
  await clock.advance(3000)
  await first
  fault = (_, what) => (given.length === 1 && calls < 7 && what !== 'list' ? broken() : undefined)
  const second = outcome(agents.runStep(context().on, 'clean', busyWork), 0)
  await clock.advance(20_000)
  expect(given.length).toBe(2)
  end()
  await clock.advance(3000)
  expect((await second).error).toBeUndefined()
})

it('says that the agent was restarted when it has forgotten the command', async () => {
  const running = outcome(agents.runStep(context().on, 'deploy', busyWork), 1000)
  await settled()
  commands.length = 0
  await clock.advance(3000)
  expect((await running).error?.message).toBe('the agent was restarted and has forgotten the command')
})

it('says that the machine lost power when its agent is gone', async () => {
  agents.wipe(of.node)
  expect(agents.isUp(of.node)).toBe(false)
  const { error } = await outcome(agents.call(context().on, 'standby.sync', {}), 130_000)
  expect(error?.message).toBe('the agent has not reported yet, or the machine lost power since')
})

it('takes it for obedience when an agent that shall power off breaks the connection, but not when it refuses', async () => {
  fault = () => broken()
  await expect(agents.powerOff(context().on)).resolves.toBeUndefined()
  fault = () => new AgentBusy('Agent is busy')
  await expect(agents.powerOff(context().on)).rejects.toThrow('busy')
  expect(calls).toBe(2)
})

it('ends when it is told to', async () => {
  fault = () => broken()
  const running = outcome(agents.call(context().on, 'standby.sync', {}), 3000)
  stop.abort(new Error('superseded by a newer operation'))
  expect((await running).error?.message).toBe('superseded by a newer operation')
})
