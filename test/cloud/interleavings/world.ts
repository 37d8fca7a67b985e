import { createHash, randomBytes, randomUUID } from 'node:crypto'
import { defaultOptions } from '../../../contract/conductor-options.ts'
import { type Downlink, downlink } from '../../../contract/messages.ts'
import type { Allocation } from '../../../contract/allocation.ts'
import type { Node } from '../../../contract/resources.ts'
import { newSealingKey } from '../../../contract/seal.ts'
import { createApi } from '../../../lambdas/app.ts'
import { onChange } from '../../../lambdas/conductor/on-change.ts'
import { tick } from '../../../lambdas/periodic/tick.ts'
import type { Change, Item, Platform, Table } from '../../../lambdas/platform.ts'
import { onUplinks } from '../../../lambdas/reports/on-uplink.ts'
import { MemoryTable } from './memory-table.ts'
import { ModelSite } from './model-site.ts'

type Api = ReturnType<typeof createApi>

/** A process of the cloud was dropped. */
export class Crash extends Error {
  override readonly name = 'Crash'
}

/** Called at each use of the table: who waits for whom is decided there. */
export type Pause = (label: string) => Promise<unknown>

/** The cloud's own code on a table of memory, with every message, change and minute in a test's hands. */
export class World {
  readonly table: MemoryTable
  site!: ModelSite
  pause: Pause = () => Promise.resolve()
  /** What was published and not yet received; what was sent up and not yet handled. */
  readonly down: Downlink[] = []
  readonly up: string[] = []
  readonly bugs: unknown[] = []
  #now = Date.parse('2026-11-23T10:00:00.000Z')
  #fed = 0
  #feeding = false
  #api: Api | undefined

  constructor(table = new MemoryTable()) {
    this.table = table
  }

  now = (): Date => new Date(this.#now)

  pass(seconds: number): void {
    this.#now += seconds * 1000
  }

  /** A process that is dropped before its so-many-th use of the table. */
  process(label: string, uses = Number.POSITIVE_INFINITY): Platform {
    let left = uses
    const use = async (what: string): Promise<void> => {
      await this.pause(`${label}: ${what}`)
      left -= 1
      if (left < 0) throw new Crash(label)
    }
    const table: Table = {
      get: async (key) => (await use('get'), this.table.get(key)),
      query: async (query) => (await use('query'), this.table.query(query)),
      write: async (writes) => (await use('write'), this.table.write(writes)),
    }
    return { ...this.#ground(), table }
  }

  #ground(): Omit<Platform, 'table'> {
    const ignore = (): void => {}
    const refuse = (): never => {
      throw new Error('not used here')
    }
    return {
      blobs: {
        put: async () => {},
        get: refuse,
        stream: refuse,
        head: refuse,
        delete: async () => {},
        signGet: async (key) => `https://blobs.test/${key}`,
        signPut: refuse,
      },
      bus: { publish: async (_, payload) => void this.down.push(downlink.parse(JSON.parse(payload))) },
      identity: {
        issue: async (appliance, csr, days) => ({
          certificate: 'certificate',
          authorities: 'authorities',
          broker: 'mqtts://cloud.test:8883',
          certificate_sha256: createHash('sha256')
            .update(appliance + csr)
            .digest('hex'),
          issued_at: this.now().toISOString(),
          expires_at: new Date(this.now().getTime() + days * 86_400_000).toISOString(),
        }),
        revoke: async () => {},
        retire: async () => {},
      },
      couriers: { wake: async () => {} },
      options: { ...defaultOptions, node_locked_retry_attempts: 0 },
      clock: { now: this.now },
      ids: { uuid: randomUUID, token: (bytes) => randomBytes(bytes).toString('base64url') },
      log: {
        info: ignore,
        warn: ignore,
        error: (facts) => void (/^(AggregateError|Crash)/.test(String(facts['error'])) || this.bugs.push(facts)),
      },
    }
  }

  /** A request, perhaps by a process that is dropped: then nobody knows what became of it. */
  async request(method: string, path: string, body?: unknown, headers: Record<string, string> = {}, uses?: number) {
    const api = uses === undefined ? (this.#api ??= this.#newApi()) : this.#newApi(uses)
    const reply = await api.request(`http://cloud.test${path}`, {
      method,
      headers: { 'content-type': 'application/json', 'x-openstack-ironic-api-version': '1.115', ...headers },
      body: body === undefined ? undefined : JSON.stringify(body),
    })
    const text = await reply.text()
    if (reply.status >= 500 && reply.status !== 503 && uses === undefined) this.bugs.push(`${reply.status} ${text}`)
    return {
      status: reply.status,
      headers: reply.headers,
      body: (text === '' ? {} : JSON.parse(text)) as Record<string, unknown>,
    }
  }

  #newApi(uses?: number): Api {
    return createApi(this.process('api', uses), { publicEndpoint: 'http://cloud.test', auth: { strategy: 'noauth' } })
  }

  /** The conductor sees so many changes; those that a dropped one had come again. */
  async deliver(count: number, uses?: number): Promise<void> {
    if (this.#feeding) return
    this.#feeding = true
    const changes = this.table.feed.slice(this.#fed, this.#fed + count)
    await this.#run(
      () => onChange(this.process('conductor', uses), changes),
      () => (this.#fed += changes.length),
    )
    this.#feeding = false
  }

  undeliveredChanges(count: number): Change[] {
    return this.table.feed.slice(this.#fed, this.#fed + count)
  }

  get undelivered(): number {
    return this.table.feed.length - this.#fed
  }

  /** Some message of the queue; of a dropped process it stays there, and `again` does though it was handled. */
  async handle(which: number, again: boolean, uses?: number): Promise<void> {
    const body = this.up[which % Math.max(this.up.length, 1)]
    if (body === undefined) return
    await this.#run(
      () => onUplinks(this.process('reports', uses), this.site.uuid, [body]),
      () => {
        const at = this.up.indexOf(body)
        if (!again && at >= 0) this.up.splice(at, 1)
      },
    )
  }

  tick(uses?: number): Promise<void> {
    return this.#run(
      () => tick(this.process('periodic', uses)),
      () => {},
    )
  }

  async #run(work: () => Promise<void>, done: () => void): Promise<void> {
    try {
      await work()
      done()
    } catch (error) {
      if (!isCrash(error)) this.bugs.push(error)
    }
  }

  /** What the site has to say goes to the broker, in parts of a report each or together. */
  send(apart: boolean): void {
    const reports = [...this.site.outbox]
    const parts = apart ? reports.map((report) => [report]).reverse() : [reports]
    for (const part of parts)
      if (part.length > 0) this.up.push(JSON.stringify({ v: 1, kind: 'reports', reports: part.slice(0, 100) }))
  }

  alive(hello: boolean): void {
    const said = {
      software: 'model',
      commands_through: this.site.through,
      hello,
      refresh: [],
      volumes: { gib: 100, free_gib: 100 },
    }
    this.up.push(JSON.stringify({ v: 1, kind: 'alive', at: this.now().toISOString(), ...said }))
  }

  async open(): Promise<void> {
    await this.request('POST', '/v1/sites', { name: 'berlin' })
    const { body } = await this.request('POST', '/v1/sites/berlin/tokens', {})
    const key = newSealingKey()
    const enrolment = { token: body['token'], name: 'box', csr: 'a request', sealing_key: key.publicKey }
    const joined = await this.request('POST', '/v1/enrol', enrolment)
    this.site = new ModelSite(String(joined.body['appliance']), this.now)
    this.alive(true)
    await this.handle(0, false)
  }

  nodes(): Node[] {
    return this.values<Node>('node')
  }

  allocations(): Allocation[] {
    return this.values<Allocation>('allocation')
  }

  values<T>(sk: string): T[] {
    return this.items()
      .filter(({ sk: own }) => own === sk)
      .map(({ value }) => value as T)
  }

  /** All that the table has. */
  items(): Item[] {
    const last = new Map<string, Item | undefined>()
    for (const { key, after } of this.table.feed) last.set(`${key.pk}\0${key.sk}`, after)
    return [...last.values()].filter((item) => item !== undefined)
  }
}

function isCrash(error: unknown): boolean {
  return error instanceof Crash || (error instanceof AggregateError && (error.errors as unknown[]).every(isCrash))
}
