import type { Answer } from './answer.ts'
import type { Redfish } from './client.ts'
import { pause } from './clock.ts'
import { MalformedAnswer, RequestRefused, TaskFailed } from './error.ts'
import { type JsonObject, linkAt, numberAt, textAt } from './json.ts'
import { type Message, messagesOf } from './messages.ts'

export interface TaskOptions {
  operation: string
  /** For the whole task, not one question about it. */
  timeoutMs: number
  pollMs?: number
  /** Told at each look: per cent, as far as the BMC tells. */
  onProgress?(percent: number): void
}

export interface TaskOutcome {
  /** `vanished`: the BMC forgot the task before it told its end (Dell purges its queue), so look whether it took effect. */
  state: 'completed' | 'vanished'
  messages: readonly Message[]
  body: JsonObject | undefined
}

const POLL_MS = 5000

const running = new Set([
  'New',
  'Starting',
  'Running',
  'Suspended',
  'Interrupted',
  'Pending',
  'Stopping',
  'Service',
  'Cancelling',
])

/** Waits for what an answer says was begun: 202 with a task monitor (DSP0266 §12.2), or a task as body. Anything else is done. */
export async function settle(bmc: Redfish, begun: Answer, options: TaskOptions): Promise<TaskOutcome> {
  const monitor = begun.location ?? textAt(begun.body, 'TaskMonitor') ?? linkAt(begun.body)
  if (begun.status !== 202) return { state: 'completed', messages: begun.messages, body: begun.body }
  if (monitor === undefined)
    throw new MalformedAnswer(bmc.subject(options.operation), 'a task begun without saying where')
  const deadline = bmc.clock.now() + options.timeoutMs
  let wait = begun.retryAfterMs ?? options.pollMs ?? POLL_MS
  let last: Answer = begun
  for (;;) {
    if (bmc.clock.now() + wait > deadline) throw late(bmc, last, options)
    await pause(bmc.clock, wait)
    const answer = await look(bmc, monitor, options.operation)
    if (!answer) return { state: 'vanished', messages: last.messages, body: last.body }
    const percent = numberAt(answer.body, 'PercentComplete')
    if (percent !== undefined) options.onProgress?.(percent)
    const outcome = ended(bmc, answer, options)
    if (outcome) return outcome
    last = answer
    wait = answer.retryAfterMs ?? wait // as often as it was said at first
  }
}

/** The same for a task that was begun before, and may be over. */
export async function follow(bmc: Redfish, task: string, options: TaskOptions): Promise<TaskOutcome> {
  const answer = await look(bmc, task, options.operation)
  if (!answer) return { state: 'vanished', messages: [], body: undefined }
  return ended(bmc, answer, options) ?? settle(bmc, { ...answer, status: 202, location: task }, options)
}

async function look(bmc: Redfish, monitor: string, operation: string): Promise<Answer | undefined> {
  try {
    return await bmc.send({ method: 'GET', path: monitor }, { operation })
  } catch (error) {
    if (error instanceof RequestRefused && (error.status === 404 || error.status === 410)) return undefined
    throw error
  }
}

function ended(bmc: Redfish, answer: Answer, { operation }: TaskOptions): TaskOutcome | undefined {
  const state = textAt(answer.body, 'TaskState')
  const messages = messagesOf(answer.body)
  if (state === undefined)
    return answer.status === 202 ? undefined : { state: 'completed', messages, body: answer.body }
  if (running.has(state)) return undefined
  const status = textAt(answer.body, 'TaskStatus')
  if (state === 'Completed' && status !== 'Critical') return { state: 'completed', messages, body: answer.body }
  throw new TaskFailed(
    bmc.subject(operation),
    status === 'Critical' ? `${state}, Critical` : state,
    messages,
    bmc.secrets,
  )
}

function late(bmc: Redfish, last: Answer, { operation, timeoutMs }: TaskOptions): TaskFailed {
  const state = textAt(last.body, 'TaskState') ?? 'Running'
  return new TaskFailed(
    bmc.subject(operation),
    `${state}, still after ${timeoutMs / 1000} s`,
    last.messages,
    bmc.secrets,
  )
}
