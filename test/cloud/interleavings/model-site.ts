import { randomUUID } from 'node:crypto'
import type { Command, Downlink, Progress, Report } from '../../../contract/messages.ts'
import { type Lane, type Plan, stepName } from '../../../contract/plan.ts'

type Run = Extract<Command, { kind: 'run' }>
type VolumeCommand = Extract<Command, { kind: 'volume' }>
interface Open {
  plan: Plan
  step: number
  ordinal: number
  cancel: string | undefined
  unheld: boolean
}

/** An appliance as the cloud knows it: a ledger that outlives its crashes, and messages that don't. What the real one does with a machine
 * takes a step of it each time it is told to work. */
export class ModelSite {
  readonly uuid: string
  readonly #now: () => Date
  /** In the order of their admission; generations of a lane only grow. */
  readonly admitted: Plan[] = []
  readonly #seen = new Set<number>()
  readonly #generations = new Map<string, number>()
  readonly #open = new Map<string, Open>()
  /** What it has of each volume, and which of them it has not answered yet. */
  readonly volumes = new Map<string, VolumeCommand>()
  readonly #unanswered = new Set<string>()
  #outbox: Report[] = []
  #seq = 0
  #from = 0
  #lives = 1

  constructor(uuid: string, now: () => Date) {
    this.uuid = uuid
    this.#now = now
  }

  receive(message: Downlink): void {
    if (message.kind === 'received') this.#received(message.reports_through)
    if (message.kind !== 'commands') return
    this.#from = Math.max(this.#from, message.stored_from - 1)
    for (const command of message.commands) this.#accept(command)
  }

  /** Through which number all commands are here. */
  get through(): number {
    let through = this.#from
    while (this.#seen.has(through + 1)) through += 1
    return through
  }

  /** A new disk: nothing is known, and numbers begin anew. */
  loseDisk(): void {
    for (const known of [this.#seen, this.#generations, this.#open, this.volumes, this.#unanswered]) known.clear()
    this.#outbox = []
    this.#seq = 0
    this.#from = 0
    this.#lives += 1
  }

  /** In how many lives a plan may have been admitted. */
  get lives(): number {
    return this.#lives
  }

  /** The cloud counts further than a disk that is new: all is told under numbers that mean something to it. */
  #received(through: number): void {
    if (through <= this.#seq) this.#outbox = this.#outbox.filter(({ seq }) => seq > through)
    else {
      this.#outbox = this.#outbox.map((report, at) => ({ ...report, seq: through + 1 + at }))
      this.#seq = through + this.#outbox.length
    }
  }

  get outbox(): readonly Report[] {
    return this.#outbox
  }

  isIdle(): boolean {
    return this.#unanswered.size === 0 && [...this.#open.values()].every((open) => isHeld(open))
  }

  /** A step of one of the plans that are open, or a volume. */
  work(which: number, fails: boolean): void {
    const open = [...this.#open.values(), ...this.#unanswered]
    const one = open[which % Math.max(open.length, 1)]
    if (!one) return
    if (typeof one === 'string') return this.#answer(one, fails)
    const { plan } = one
    if (one.cancel !== undefined) return this.#close(one, 'failed', one.cancel)
    if (fails) return this.#close(one, 'failed', `step ${one.step} failed`)
    if (isHeld(one)) return this.#report(one, 'held', 'on hold')
    one.unheld = false
    one.step += 1
    const step = plan.steps[one.step]
    if (!step) return this.#close(one, 'done', null)
    if (stepName(step) === 'inspect.inspect_hardware' && plan.machine.interfaces['inspect'] === 'agent')
      this.#found(plan)
    this.#report(one, stepName(step) === 'plan.hold' ? 'held' : step.waits ? 'waiting' : 'running', stepName(step))
  }

  #accept(command: Command): void {
    if (command.seq <= this.#from || this.#seen.has(command.seq)) return
    this.#seen.add(command.seq)
    switch (command.kind) {
      case 'run':
        return this.#admit(command)
      case 'cancel': {
        const open = this.#open.get(laneOf(command.node, command.lane))
        if (open?.plan.generation === command.generation) open.cancel = command.reason
        return
      }
      case 'unhold': {
        const open = this.#open.get(laneOf(command.node, command.lane))
        if (open?.plan.generation === command.generation && open.step === command.step) open.unheld = true
        return
      }
      case 'volume':
        if ((this.volumes.get(command.node)?.generation ?? 0) >= command.generation) return
        this.volumes.set(command.node, command)
        this.#unanswered.add(command.node)
        return
      case 'forget':
        for (const lane of ['provision', 'power'] as const) {
          this.#open.delete(laneOf(command.node, lane))
          this.#generations.delete(laneOf(command.node, lane))
        }
    }
  }

  #admit(command: Run): void {
    if (!('steps' in command.plan)) throw new Error('the plans of this model fit into a message')
    const { plan } = command
    const lane = laneOf(plan.node, plan.lane)
    if (plan.generation <= (this.#generations.get(lane) ?? 0)) return
    this.#generations.set(lane, plan.generation)
    this.admitted.push(plan)
    const open: Open = { plan, step: -1, ordinal: 0, cancel: undefined, unheld: false }
    this.#open.set(lane, open)
    if (this.#now() > new Date(command.deadline)) this.#close(open, 'refused', 'the command came after its deadline')
    else this.#report(open, 'accepted', 'accepted by the site')
  }

  #answer(volume: string, fails: boolean): void {
    this.#unanswered.delete(volume)
    const { generation = 1, wanted } = this.volumes.get(volume) ?? {}
    const exports = (wanted?.exports ?? []).map(({ attachment }) => {
      const target_iqn = `iqn.2026-11.org.example:volume-${volume}.${attachment}`
      return { attachment, target_iqn, target_portal: '10.0.0.1:3260', target_lun: 1 }
    })
    const outcome = fails
      ? { phase: 'failed' as const, note: 'the disk is full', exports: [] }
      : { phase: 'done' as const, note: null, exports }
    this.#seq += 1
    const stamps = { id: randomUUID(), seq: this.#seq, at: this.#now().toISOString() }
    this.#outbox.push({ ...stamps, kind: 'volume', node: volume, generation, ...outcome })
  }

  #close(open: Open, phase: 'done' | 'failed' | 'refused', note: string | null): void {
    this.#open.delete(laneOf(open.plan.node, open.plan.lane))
    this.#report(open, phase, note)
  }

  #found({ id, node, generation }: Plan): void {
    const inventory = { interfaces: [{ mac_address: '52:54:00:aa:00:00' }], cpu: { count: 4 } }
    const found = { node, generation, plan: id, inventory, plugin_data: { plan: id } }
    this.#seq += 1
    this.#outbox.push({ id: randomUUID(), seq: this.#seq, at: this.#now().toISOString(), kind: 'inventory', ...found })
  }

  #report(open: Open, phase: Progress['phase'], note: string | null): void {
    const { plan } = open
    open.ordinal += 1
    this.#seq += 1
    this.#outbox.push({
      id: randomUUID(),
      seq: this.#seq,
      at: this.#now().toISOString(),
      kind: 'progress',
      node: plan.node,
      generation: plan.generation,
      lane: plan.lane,
      plan: plan.id,
      ordinal: open.ordinal,
      phase,
      step: Math.min(Math.max(open.step, 0), plan.steps.length - 1),
      percent: null,
      note,
      power_state: null,
      boot_device: null,
      seconds: [],
    })
  }
}

function isHeld({ plan, step, unheld, cancel }: Open): boolean {
  const at = plan.steps[step]
  return at !== undefined && stepName(at) === 'plan.hold' && !unheld && cancel === undefined
}

const laneOf = (node: string, lane: Lane): string => `${node} ${lane}`
