import type { Server, ServerAction } from '../../contract/compute.ts'
import type { Call } from '../openstack/context.ts'

/** What was asked of a server and what came of it, kept with the server and written with each of its changes. Pure. */

const MOST_ACTIONS = 30
const MOST_STEPS = 12

/** Of now. */
export function actionOf(call: Call, action: string, now: Date, ended = false): ServerAction {
  const { caller, requestId } = call.var
  const started_at = now.toISOString()
  return {
    request: requestId,
    action,
    user_id: caller.user?.id ?? '',
    project_id: caller.project?.id ?? '',
    started_at,
    ended_at: ended ? started_at : null,
    fault: null,
    steps: [],
  }
}

/** One that is under way ends when another begins. */
export function withAction({ actions = [] }: Pick<Server, 'actions'>, next: ServerAction): ServerAction[] {
  const before = actions.map((each) =>
    each.ended_at === null ? ended(each, next.started_at, `${next.action} came between.`) : each,
  )
  return [...before, next].slice(-MOST_ACTIONS)
}

/** What is over already; what is under way goes on after it. */
export function withEvent({ actions = [] }: Pick<Server, 'actions'>, event: ServerAction): ServerAction[] {
  const running = actions.findIndex(({ ended_at }) => ended_at === null)
  return actions.toSpliced(running < 0 ? actions.length : running, 0, event).slice(-MOST_ACTIONS)
}

/** A step ends where the task changes, and the action with the last of its steps. */
export function logged(before: Pick<Server, 'actions' | 'task'> | undefined, after: Server, now: string): Server {
  const { actions = [], task, fault, state } = after
  const last = actions.at(-1)
  const isNew = last?.request !== before?.actions?.at(-1)?.request
  if (!last || last.ended_at !== null || (!isNew && before?.task === task)) return after
  const hasFailed = fault !== null && (task === 'failing' || task === null || state === 'error')
  const steps = last.steps.map((each) =>
    each.ended_at === null ? { ...each, ended_at: now, failed: hasFailed && each.task !== 'failing' } : each,
  )
  const next: ServerAction =
    task === null
      ? ended({ ...last, steps }, now, hasFailed ? fault.message : null)
      : { ...last, steps: [...steps, { task, started_at: now, ended_at: null, failed: false }].slice(-MOST_STEPS) }
  return { ...after, actions: [...actions.slice(0, -1), next] }
}

function ended(action: ServerAction, ended_at: string, fault: string | null): ServerAction {
  const steps = action.steps.map((each) => (each.ended_at === null ? { ...each, ended_at, failed: true } : each))
  return { ...action, steps, ended_at, fault }
}
