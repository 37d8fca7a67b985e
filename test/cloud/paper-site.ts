import { randomUUID } from 'node:crypto'
import type { Command, Progress } from '../../contract/messages.ts'
import type { Plan } from '../../contract/plan.ts'
import { commandsTo, type ControlPlane } from './control-plane.ts'

/** A site's appliance on paper: it reports what a test tells it to. */
export class PaperSite {
  readonly #cloud: ControlPlane
  readonly uuid: string
  #seq = 0
  readonly #ordinals = new Map<string, number>()

  constructor(cloud: ControlPlane, uuid: string) {
    this.#cloud = cloud
    this.uuid = uuid
  }

  commands(): Command[] {
    return commandsTo(this.#cloud, this.uuid)
  }

  /** The newest plan that it was sent for a node. */
  plan(node: string): Plan {
    const runs = this.commands().filter((command) => command.kind === 'run' && command.node === node)
    const plan = (runs.at(-1) as { plan: Plan } | undefined)?.plan
    if (!plan) throw new Error(`no plan was sent for ${node}`)
    return plan
  }

  progress(plan: Plan, phase: Progress['phase'], more: Partial<Progress> = {}): Progress {
    const ordinal = (this.#ordinals.get(plan.id) ?? 0) + 1
    this.#ordinals.set(plan.id, ordinal)
    this.#seq += 1
    return {
      id: randomUUID(),
      seq: this.#seq,
      at: this.#cloud.platform.clock.now().toISOString(),
      kind: 'progress',
      node: plan.node,
      generation: plan.generation,
      lane: plan.lane,
      plan: plan.id,
      ordinal,
      phase,
      step: 0,
      percent: null,
      note: null,
      power_state: null,
      boot_device: null,
      seconds: [],
      ...more,
    }
  }

  send(...reports: Progress[]): Promise<void> {
    return this.#cloud.uplink(this.uuid, { v: 1, kind: 'reports', reports })
  }

  report(plan: Plan, phase: Progress['phase'], more: Partial<Progress> = {}): Promise<void> {
    return this.send(this.progress(plan, phase, more))
  }

  /** Carries out what it was last told for a node. */
  carryOut(node: string, last: Partial<Progress> = {}): Promise<void> {
    return this.carry(this.plan(node), last)
  }

  async carry(plan: Plan, last: Partial<Progress> = {}): Promise<void> {
    await this.report(plan, 'accepted')
    for (const [step, { waits }] of plan.steps.entries())
      await this.report(plan, waits ? 'waiting' : 'running', { step })
    await this.report(plan, 'done', { step: plan.steps.length - 1, seconds: plan.steps.map(() => 1), ...last })
  }
}
