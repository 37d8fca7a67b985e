import { randomUUID } from 'node:crypto'
import type { Command, Downlink, Progress, Report, Uplink } from '../../../contract/messages.ts'
import type { Link } from '../../../appliance/uplink/link.ts'

const WITHIN_MS = 60_000

/** A cloud of a few lines, for scenarios that are about the site alone: it numbers commands, acknowledges reports, and forgets nothing. */
export class MemoryCloud {
  readonly reports = new Map<number, Report>()
  readonly commands: Command[] = []
  urls: Record<string, string> = {}
  /** What a request for fresh URLs is answered with. */
  freshUrls: Record<string, string> = {}
  acknowledged = 0
  /** False: the WAN is cut. */
  up = true
  #through = 0
  #handlers: { message(payload: string): void; connect(): void } | undefined

  /** The wire of one life of the appliance. */
  link(): Link {
    let message = (_payload: string): void => {}
    let connect = (): void => {}
    const handlers = { message: (payload: string) => message(payload), connect: () => connect() }
    this.#handlers = handlers
    return {
      publish: async (payload) => {
        const isCut = (): boolean => !this.up || this.#handlers !== handlers
        if (isCut()) throw new Error('cut off')
        await new Promise((resolve) => setImmediate(resolve))
        if (isCut()) throw new Error('cut off on the way')
        this.#receive(JSON.parse(payload) as Uplink)
      },
      onMessage: (handler) => {
        message = handler
        setImmediate(() => this.up && connect())
      },
      onConnect: (handler) => {
        connect = handler
      },
      end: () => Promise.resolve(),
    }
  }

  send(command: Record<string, unknown> & Pick<Command, 'kind' | 'node' | 'generation'>): Command {
    const seq = this.commands.length + 1
    const whole = {
      id: randomUUID(),
      seq,
      issued_at: new Date(0).toISOString(),
      deadline: '2999-01-01T00:00:00.000Z',
      ...command,
    } as Command
    this.commands.push(whole)
    this.deliver([whole])
    return whole
  }

  deliver(commands: Command[]): void {
    if (this.up) this.#down({ v: 1, kind: 'commands', commands, urls: this.urls, stored_from: 1 })
  }

  mend(): void {
    this.up = true
    this.#handlers?.connect()
  }

  progress(plan: string): Progress[] {
    const all = [...this.reports.values()].filter((each): each is Progress => each.kind === 'progress')
    return all.filter((each) => each.plan === plan).sort((a, b) => a.seq - b.seq)
  }

  async ended(plan: string): Promise<Progress> {
    const until = Date.now() + WITHIN_MS
    for (;;) {
      const last = this.progress(plan).at(-1)
      if (last && ['done', 'failed', 'refused'].includes(last.phase)) return last
      if (Date.now() > until) throw new Error(`plan not ended; last report: ${JSON.stringify(last)}`)
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
  }

  #down(message: Downlink): void {
    const handlers = this.#handlers
    setImmediate(() => {
      if (this.up && this.#handlers === handlers) handlers?.message(JSON.stringify(message))
    })
  }

  #receive(message: Uplink): void {
    if (message.kind === 'alive') {
      this.acknowledged = message.commands_through
      const missing = this.commands.filter((each) => each.seq > message.commands_through)
      if (message.hello && missing.length > 0) this.deliver(missing)
      const asked = Object.entries(this.freshUrls).filter(([key]) => message.refresh.includes(key))
      if (asked.length > 0) this.#down({ v: 1, kind: 'urls', urls: Object.fromEntries(asked) })
      return
    }
    if (message.kind !== 'reports') return
    for (const report of message.reports) this.reports.set(report.seq, report)
    while (this.reports.has(this.#through + 1)) this.#through += 1
    this.#down({ v: 1, kind: 'received', reports_through: this.#through })
  }
}
