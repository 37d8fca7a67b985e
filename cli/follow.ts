import { setTimeout as sleep } from 'node:timers/promises'
import { ApiError } from '../contract/api/client.ts'
import type { NodeView } from '../contract/api/views.ts'
import { provision } from '../contract/provision.ts'
import type { Context } from './context.ts'
import { printable } from './output.ts'
import { plainLines, silent, taskList, type Progress } from './progress.ts'
import { observe, secondsOf, type Segment } from './timeline.ts'
import { OutcomeError } from './usage.ts'

export const WAIT_SECONDS = 3600
const POLL_MS = 1000

/** Shows what happens to the node until it rests. Rejects with OutcomeError unless that is in `goal`. */
export async function follow(
  context: Context,
  ident: string,
  goal: NonNullable<NodeView['provision_state']>,
  timeoutSeconds: number,
): Promise<void> {
  const progress = progressFor(context)
  const until = Date.now() + timeoutSeconds * 1000
  let timeline: Segment[] = []
  for (;;) {
    const node = await look(context, ident, until)
    const state = node.provision_state ?? 'available'
    timeline = observe(timeline, node)
    progress.see(timeline, state)
    const resting = provision[state].kind === 'stable' || provision[state].kind === 'failed'
    if (resting || Date.now() > until) {
      const failure = failureOf(node, ident, goal, resting, timeoutSeconds)
      await progress.end(timeline, failure)
      report(context, node, timeline)
      if (failure !== undefined) throw new OutcomeError(failure)
      return
    }
    await sleep(POLL_MS)
  }
}

function progressFor({ json }: Context): Progress {
  if (json) return silent
  return process.stdout.isTTY ? taskList() : plainLines((line) => process.stdout.write(`${line}\n`))
}

/** The cloud may be away for moments: the operation goes on without it. */
async function look({ client }: Context, ident: string, until: number): Promise<NodeView> {
  for (;;) {
    try {
      return await client.nodes.get(ident, { bloomery: 1 })
    } catch (error) {
      const ours = error instanceof ApiError && error.status < 500
      if (ours || Date.now() + POLL_MS > until) throw error
      await sleep(POLL_MS)
    }
  }
}

function failureOf(node: NodeView, ident: string, goal: string, resting: boolean, timeoutSeconds: number) {
  const state = node.provision_state ?? 'available'
  if (!resting)
    return `node ${ident} is still ${state} after ${timeoutSeconds} s; it goes on: bloomery node show ${ident}`
  if (state === goal) return undefined
  return `node ${ident} ended in '${state}': ${printable(node.last_error ?? 'no reason was given')}`
}

function report(context: Context, node: NodeView, timeline: readonly Segment[]): void {
  const steps = timeline.map((segment) => ({
    operation: segment.operation,
    step: segment.name,
    seconds: secondsOf(segment, segment.begun),
  }))
  const total = steps.reduce((sum, { seconds }) => sum + seconds, 0)
  const { uuid, name, provision_state, last_error } = node
  const lines = steps.map(
    ({ operation, step, seconds }) => `  ${seconds.toFixed(1).padStart(7)} s  ${operation}: ${printable(step)}`,
  )
  context.print(
    { uuid, name, provision_state, last_error, seconds: total, steps },
    [
      `Node ${name ?? uuid} is ${provision_state}.`,
      ...(lines.length > 0 ? ['Where the time went:', ...lines] : []),
    ].join('\n'),
  )
}
