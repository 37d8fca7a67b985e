import type { z } from 'zod'
import type { CommandError, CommandProgress, CommandResult } from '../../contract/agent.ts'
import { CommandFailure } from '../failure.ts'
import { reason, type Log } from '../log.ts'

export interface Running {
  progress: (progress: CommandProgress) => void
}

export type Outcome = Record<string, unknown> | string | null

/** An extension's command. An asynchronous one answers at once and goes on; only one of either kind runs at a time. */
export interface Command {
  asynchronous: boolean
  /** Judges the parameters, by throwing, before anything runs. */
  prepare: (params: Record<string, unknown>) => (running: Running) => Promise<Outcome>
}

export function command<P>(
  asynchronous: boolean,
  params: z.ZodType<P>,
  run: (params: P, running: Running) => Promise<Outcome>,
): Command {
  return {
    asynchronous,
    prepare(given) {
      const parsed = params.safeParse(given)
      if (parsed.success) return (running) => run(parsed.data, running)
      const faults = parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`)
      throw new CommandFailure('InvalidCommandParamsError', `Invalid command parameters: ${faults.join('; ')}`, {
        code: 400,
      })
    },
  }
}

/** Extension, then command. */
export type CommandTable = Record<string, Record<string, Command>>

export interface Means {
  table: CommandTable
  newId: () => string
  log: Log
  /** An asynchronous command has ended: the site should hear of it soon. */
  finished: () => void
}

/** A failure of this type has a status of its own: the server then begins cleaning anew. */
export const versionMismatch = 'CleanVersionMismatch'

/** Results are kept for the life of the ramdisk, but a server that never stops asking must not fill its memory. */
const kept = 500

/** What was asked of this agent and what became of it, in the order of asking. */
export class CommandLedger {
  readonly #means: Means
  readonly #entries: { result: CommandResult; done: Promise<void> }[] = []

  constructor(means: Means) {
    this.#means = means
  }

  list(): CommandResult[] {
    return this.#entries.map(({ result }) => result)
  }

  async find(id: string, wait: boolean): Promise<CommandResult> {
    const entry = this.#entries.find(({ result }) => result.id === id)
    if (!entry)
      throw new CommandFailure('RequestedObjectNotFoundError', `Command with id ${id} not found.`, { code: 404 })
    if (wait) await entry.done
    return entry.result
  }

  async start(name: string, params: Record<string, unknown>, wait: boolean): Promise<CommandResult> {
    const [extension = '', short = ''] = name.split('.')
    const command = this.#lookUp(extension, short)
    const last = this.#entries.at(-1)?.result
    if (last?.command_status === 'RUNNING') {
      const message = `Agent is busy: executing command ${last.command_name}`
      throw new CommandFailure('AgentIsBusy', message, { code: 409 })
    }
    const run = command.prepare(params)
    const result: CommandResult = {
      id: this.#means.newId(),
      command_name: short,
      command_status: 'RUNNING',
      command_error: null,
      command_result: null,
    }
    this.#means.log.info('command started', { command: name, id: result.id })
    const done = this.#finish(name, result, command.asynchronous, run)
    this.#entries.push({ result, done })
    if (this.#entries.length > kept) this.#entries.shift()
    if (wait || !command.asynchronous) await done
    return result
  }

  #lookUp(extension: string, short: string): Command {
    const { table } = this.#means
    if (!Object.hasOwn(table, extension))
      throw new CommandFailure('RequestedObjectNotFoundError', `Extension with id ${extension} not found.`, {
        code: 404,
      })
    const commands = table[extension]
    if (!commands || !Object.hasOwn(commands, short) || !commands[short])
      throw new CommandFailure('InvalidCommandError', `Invalid command: ${extension}.${short}`, { code: 400 })
    return commands[short]
  }

  async #finish(
    name: string,
    result: CommandResult,
    asynchronous: boolean,
    run: (running: Running) => Promise<Outcome>,
  ): Promise<void> {
    const { log } = this.#means
    const lead = asynchronous ? `${result.command_name}: ` : ''
    try {
      const outcome = await run({ progress: (now) => void (result.command_progress = now) })
      result.command_result = typeof outcome === 'string' ? { result: lead + outcome } : outcome
      result.command_status = 'SUCCEEDED'
      log.info('command succeeded', { command: name, id: result.id })
    } catch (error) {
      const mismatch = error instanceof CommandFailure && error.type === versionMismatch
      result.command_error = describe(error)
      result.command_status = mismatch ? 'CLEAN_VERSION_MISMATCH' : 'FAILED'
      log.error('command failed', { command: name, id: result.id, because: reason(error) })
    }
    delete result.command_progress
    if (asynchronous) this.#means.finished()
  }
}

function describe(error: unknown): CommandError {
  const message = reason(error).slice(0, 4096)
  const known = error instanceof CommandFailure
  return {
    type: known ? error.type : 'CommandExecutionError',
    code: known ? error.code : 500,
    message,
    details: message,
  }
}
