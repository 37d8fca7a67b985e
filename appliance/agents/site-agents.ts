import type { CommandResult } from '../../contract/agent.ts'
import type { Machine } from '../../contract/plan.ts'
import type { Clock } from '../clock.ts'
import { HardwareError } from '../hardware-error.ts'
import type { AgentRows } from '../ledger/agents.ts'
import type { StepContext } from '../plans/step.ts'
import { type Agents, CommandFailed, type Work } from './agents.ts'
import { AgentBusy, AgentRefusal, type AgentAddress, type AgentClient } from './client.ts'

const POLL_MS = 2000
/** A switch that reconverges is away for up to a minute. */
const PATIENCE_MS = 120_000
const RETRY_MS = 5000
/** An agent that is there answers at once. */
const ONCE_MS = 10_000

export interface SiteAgentsParts {
  rows: AgentRows
  client: AgentClient
  /** A fresh one. */
  token: () => string
  clock: Clock
  lastSeen(node: string, since: Date): string | undefined
}

export function siteAgents({ rows, client, token, clock, lastSeen }: SiteAgentsParts): Agents {
  function address(node: string): AgentAddress {
    const row = rows.get(node)
    if (!row?.url) throw new HardwareError('the agent has not reported yet, or the machine lost power since')
    return { url: row.url, token: row.token, certificate: row.certificate }
  }

  /** Connections fail for a while now and then, and an agent may be busy with what it was asked before the last one broke; a refusal is
   * final. */
  async function patiently<T>(on: StepContext, ask: () => Promise<T>): Promise<T> {
    const until = clock.now().getTime() + PATIENCE_MS
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await ask()
      } catch (error) {
        on.signal.throwIfAborted()
        if (error instanceof AgentRefusal || clock.now().getTime() >= until) throw error
        await clock.sleep(Math.min(1000 * attempt, RETRY_MS), on.signal)
      }
    }
  }

  async function follow(on: StepContext, id: string, work: Work | undefined): Promise<Record<string, unknown>> {
    for (;;) {
      const all = await patiently(on, () => client.commands(address(on.plan.node), on.signal))
      const mine = all.find((each) => each.id === id)
      if (!mine) throw new HardwareError('the agent was restarted and has forgotten the command')
      if (mine.command_status !== 'RUNNING') return outcome(mine)
      const { percent, mb_per_second: rate } = mine.command_progress ?? {}
      if (work) on.note(rate ? `${work.busy}, ${rate} MB/s` : work.busy, work.percent(percent ?? 0))
      await clock.sleep(POLL_MS, on.signal)
    }
  }

  /** The command may be running already, from before a crash of this appliance or of the connection: then it is followed, not given twice. */
  async function startOrFind(on: StepContext, name: string, params: Record<string, unknown>): Promise<string> {
    const noted = on.memo.get(name)
    const known = await client.commands(address(on.plan.node), on.signal)
    if (noted && known.some((each) => each.id === noted)) return noted
    const short = name.split('.').at(-1)
    const last = known.at(-1)
    const before = on.memo.get(`before ${name}`)
    if (before !== undefined && last && last.id !== before && last.command_name === short) return last.id
    // An earlier step may have given the same command: ours is one that came after the last that was there.
    if (before === undefined) on.memo.set(`before ${name}`, last?.id ?? '')
    const given = await client.command(address(on.plan.node), name, params, false, on.signal)
    on.memo.set(name, given.id)
    return given.id
  }

  /** Once: a machine that obeys takes its agent with it, perhaps before the answer is out. */
  async function last(on: StepContext, command: string): Promise<void> {
    try {
      await client.command(address(on.plan.node), command, {}, false, on.signal)
    } catch (error) {
      on.signal.throwIfAborted()
      if (error instanceof AgentRefusal || error instanceof AgentBusy) throw error
    }
  }

  const agents: Agents = {
    powerOff: (on) => last(on, 'standby.power_off'),
    // Whose last act is to boot what it has written (reference §6.5).
    restart: (on) => last(on, 'standby.run_image'),
    startKernel: (on) => last(on, 'standby.start_kernel'),
    isUp: (node) => rows.get(node)?.heartbeatAt !== undefined,
    heardOf: (node) => rows.get(node)?.heartbeatAt,
    async isIdle(on) {
      const over = AbortSignal.any([on.signal, AbortSignal.timeout(ONCE_MS)])
      const all = await client.commands(address(on.plan.node), over)
      return !all.some((each) => each.command_status === 'RUNNING')
    },
    lastSeen,
    prearrange: (node) => void rows.giveToken(node, token(), clock.now()),
    wipe: (node) => rows.wipe(node),
    expectInstaller: (node) => rows.installers.clear(node),
    installerSaid: (node) => rows.installers.said(node),
    async call(on, name, params) {
      const result = await patiently(on, () => client.command(address(on.plan.node), name, params, true, on.signal))
      return outcome(result)
    },
    async runCommand(on, name, params, work) {
      const id = await patiently(on, () => startOrFind(on, name, params))
      try {
        return await follow(on, id, work)
      } catch (error) {
        // That one is over: whoever asks again asks for another.
        if (!(error instanceof CommandFailed)) throw error
        on.memo.set(`before ${name}`, id)
        on.memo.set(name, '')
        throw error
      }
    },
    async runStep(on, kind, work) {
      const params = {
        step: { ...work.step, args: work.args },
        node: { ...agentNode(on.plan.machine), driver_internal_info: work.internal ?? {}, ...work.node },
        ports: on.plan.machine.ports,
        [`${kind}_version`]: null,
      }
      return agents.runCommand(on, `${kind}.execute_${kind}_step`, params, work)
    },
  }
  return agents
}

function outcome(result: CommandResult): Record<string, unknown> {
  if (result.command_status === 'SUCCEEDED') return result.command_result ?? {}
  const { command_error: error } = result
  const text = typeof error === 'string' ? error : (error?.details ?? error?.message ?? 'no reason given')
  throw new CommandFailed(`the agent's ${result.command_name} failed: ${text}`)
}

/** The node as agents are shown it: nothing of driver_info. */
export function agentNode(machine: Machine): Record<string, unknown> {
  return {
    uuid: machine.node,
    properties: machine.properties,
    instance_info: machine.instance_info,
    driver_internal_info: {},
    target_raid_config: machine.target_raid_config ?? {},
  }
}
