import { setTimeout as sleep } from 'node:timers/promises'
import { ApiError } from '../contract/api/client.ts'
import type { NodeView } from '../contract/api/views.ts'
import { provision } from '../contract/provision.ts'
import type { Context } from './context.ts'
import { newestGeneration, observe, stepName, type Course } from './course.ts'
import { printable } from './output.ts'
import { plainLines, silent, taskList, type Progress } from './progress.ts'
import { OutcomeError } from './usage.ts'

export const WAIT_SECONDS = 3600
const POLL_MS = 1000
const SHOW_OPERATION = { bloomery: 1 }

/** Calls `start`, then shows what happens to the node until it rests. Rejects with OutcomeError unless that is in `goal`. */
export async function follow(
  context: Context,
  ident: string,
  goal: NonNullable<NodeView['provision_state']>,
  timeoutSeconds: number,
  start: () => Promise<void>,
): Promise<void> {
  const before = newestGeneration(await context.client.nodes.get(ident, SHOW_OPERATION))
  await start()
  const progress = progressFor(context)
  const until = Date.now() + timeoutSeconds * 1000
  let courses: Course[] = []
  for (;;) {
    const node = await look(context, ident, until)
    const state = node.provision_state ?? 'available'
    courses = observe(courses, node, before)
    progress.see(courses, state)
    const resting = provision[state].kind === 'stable' || provision[state].kind === 'failed'
    if (resting || Date.now() > until) {
      const failure = failureOf(node, ident, goal, resting, timeoutSeconds)
      await progress.end(failure)
      report(context, node, courses)
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
      return await client.nodes.get(ident, SHOW_OPERATION)
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

function report(context: Context, node: NodeView, courses: readonly Course[]): void {
  const steps = courses.flatMap((course) =>
    (course.seconds ?? []).map((seconds, step) => ({ operation: course.kind, step: stepName(course, step), seconds })),
  )
  const total = steps.reduce((sum, { seconds }) => sum + seconds, 0)
  const { uuid, name, provision_state, last_error } = node
  const line = (seconds: number, what: string): string => `${seconds.toFixed(1).padStart(9)} s  ${printable(what)}`
  const account = steps.map(({ operation, step, seconds }) =>
    line(seconds, `${operation.replaceAll('_', ' ')}, ${step}`),
  )
  context.print(
    { uuid, name, provision_state, last_error, seconds: total, steps },
    [
      `Node ${name ?? uuid} is ${provision_state}.`,
      ...(account.length > 0 ? ['Where the time went:', ...account, line(total, 'in all')] : []),
    ].join('\n'),
  )
}
