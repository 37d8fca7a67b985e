import { hash } from 'node:crypto'
import { UserError } from '../../contract/api/faults.ts'
import { stepName } from '../../contract/plan.ts'
import { advance, isTransient, type ProvisionState } from '../../contract/provision.ts'
import type { Node } from '../../contract/resources.ts'
import { stepSentence } from '../../contract/step-sentences.ts'
import { isCleaned } from '../conductor/automated-cleaning.ts'
import { planAppliance } from '../conductor/choose.ts'
import { namesIn, requireKnown } from '../conductor/known.ts'
import { pendingLane, planFor, requestOf } from '../conductor/plan.ts'
import type { Blobs, Platform } from '../platform.ts'
import { appliancesOf } from '../store/appliances.ts'

/** `dry_run`: what a verb would do, made by the planner that makes the real plan. Nothing is written. */
export interface Rehearsal {
  node: string
  dry_run: true
  /** In order, from the one that it is in now. */
  states: ProvisionState[]
  /** Who would do it; null: nobody can, or nothing is to be done. */
  appliance: string | null
  /** Why it would fail before it begins. */
  problem: string | null
  steps: RehearsedStep[]
  /** What would be done if a step failed. */
  on_failure: RehearsedStep[]
}
export interface RehearsedStep {
  interface: string
  step: string
  does: string
  deadline_seconds: number
  waits: boolean
}

/** `after`: the node as the verb would leave it. */
export async function rehearse(platform: Platform, before: Node, after: Node): Promise<Rehearsal> {
  const cleaned = isCleaned(after, platform.options)
  const none = { appliance: null, problem: null, steps: [], on_failure: [] }
  const told = { node: before.uuid, dry_run: true as const, ...none }
  if (pendingLane(after) !== 'provision')
    return { ...told, states: course(before.provision_state, after, false, cleaned) }
  const now = platform.clock.now()
  const appliance = planAppliance(after, await appliancesOf(platform.table, after.conductor_group), now)
  try {
    const request = await requestOf(platform, after, 'provision')
    const plan = await planFor(platform, after, request, 'provision', { id: platform.ids.uuid(), now })
    if (appliance) requireKnown(appliance, namesIn(plan))
    const waits = plan.steps.some((step) => step.waits)
    return {
      ...told,
      states: course(before.provision_state, after, waits, cleaned),
      appliance: appliance?.name ?? null,
      problem: appliance ? null : 'The site of the node has no appliance: enrol one, or set its conductor_group.',
      steps: plan.steps.map(shown),
      on_failure: plan.on_failure.map(shown),
    }
  } catch (error) {
    if (!(error instanceof UserError)) throw error
    return { ...told, states: [before.provision_state, after.provision_state], problem: error.message }
  }
}

function shown(step: Parameters<typeof stepSentence>[0] & { deadline_seconds: number; waits: boolean }): RehearsedStep {
  const [iface, name] = stepName(step).split('.') as [string, string]
  const { deadline_seconds, waits } = step
  return { interface: iface, step: name, does: stepSentence(step), deadline_seconds, waits }
}

/** The states until it rests, if all goes well. Pure. */
export function course(from: ProvisionState, after: Node, waits: boolean, cleaned = true): ProvisionState[] {
  const { provision_state: first, target_provision_state: target } = after
  const states: ProvisionState[] = [from]
  let state: ProvisionState | undefined = first
  while (state !== undefined && !states.slice(1).includes(state)) {
    // Cleaning that follows a tear-down has a plan of its own, made then, or is not wanted.
    const follows: boolean = state !== first
    const isSkipped: boolean = follows && state === 'cleaning' && !cleaned
    const isWaited: boolean = follows ? !isSkipped && !['fake', 'noop'].includes(after.deploy_interface ?? '') : waits
    const waiting: ProvisionState | undefined = isWaited ? advance(state, 'wait', target)?.state : undefined
    states.push(...(isSkipped ? [] : [state]), ...(waiting && isTransient(state) ? [waiting] : []))
    state = isTransient(state) ? end(state, target) : undefined
  }
  return states
}

function end(state: ProvisionState, target: ProvisionState | null): ProvisionState | undefined {
  const events =
    target === 'manageable' ? (['manage', 'done', 'clean'] as const) : (['done', 'clean', 'manage'] as const)
  return events.map((event) => advance(state, event, target)?.state).find((next) => next !== undefined)
}

/** What is put is there for who has this one, and for nobody else. */
export function withoutWriting(blobs: Blobs): Blobs {
  const put = new Map<string, Uint8Array>()
  return {
    ...blobs,
    put: async (key, bytes) => void put.set(key, bytes),
    get: async (key) => put.get(key) ?? blobs.get(key),
    head: async (key) => {
      const bytes = put.get(key)
      return bytes ? { size: bytes.length, sha256: hash('sha256', bytes) } : blobs.head(key)
    },
    delete: async (key) => void put.delete(key),
  }
}
