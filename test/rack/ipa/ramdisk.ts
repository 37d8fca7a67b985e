import { selfSigned } from '../../../appliance/certificates.ts'
import type { Clock } from '../../../appliance/clock.ts'
import type { PaperMachine } from '../paper/machine.ts'
import { inventoryOf } from '../paper/ramdisk-inventory.ts'
import { IpaApi } from './api.ts'
import { ipaCommands } from './commands.ts'

/** As python-requests sends them for ironic-python-agent. */
const headers = {
  'user-agent': 'python-requests/2.31.0',
  'accept-encoding': 'gzip, deflate',
  accept: 'application/json',
  'content-type': 'application/json',
}
const MASKED = '******'
const WEEKS_AHEAD_MS = 40 * 86_400_000

interface Reply {
  status: number
  body: Record<string, unknown>
}

/** Boots on a paper machine and does what ironic-python-agent does, from its first request to the loss of power (reference §6.2, §6.3). */
export class IpaRamdisk {
  readonly #machine: PaperMachine
  readonly #clock: Clock
  readonly #powerLost: AbortSignal
  readonly #told: Record<string, string>
  #api: IpaApi | undefined
  #hurry = new AbortController()
  /** Requests in their order, with the microversion that each spoke. */
  readonly requests: string[] = []

  /** `parameters`: the kernel command line, and what a medium adds to it. */
  constructor(machine: PaperMachine, clock: Clock, powerLost: AbortSignal, parameters: string) {
    this.#machine = machine
    this.#clock = clock
    this.#powerLost = powerLost
    this.#told = Object.fromEntries(
      parameters.split(/\s+/).map((word) => word.split(/=(.*)/s).slice(0, 2)) as [string, string][],
    )
    powerLost.addEventListener('abort', () => this.#api?.stop(), { once: true })
  }

  async run(): Promise<void> {
    const base = this.#told['ipa-api-url']!
    const named = await this.#inspect()
    const root = await this.#untilAnswered(() => this.#ask('GET', `${base}/`))
    const server = (root.body['default_version'] as { version: string }).version
    const found = await this.#lookUp(base, server, named)
    const config = found['config'] as { heartbeat_timeout: number; agent_token: string }
    const token = config.agent_token === MASKED ? this.#told['ipa-agent-token'] : config.agent_token
    if (token === undefined || token.length < 32)
      return void this.#machine.accidents.push('the token was taken: locked down')
    // Its machine's clock is weeks ahead, and nobody has set it.
    const pem = await selfSigned('127.0.0.1', new Date(Date.now() + WEEKS_AHEAD_MS))
    const slowly = (ms: number): Promise<void> => this.#clock.sleep(ms, this.#powerLost)
    const finished = (): void => this.#hurry.abort()
    this.#api = await IpaApi.start({ table: ipaCommands(this.#machine, slowly), token, pem, finished })
    const { uuid } = found['node'] as { uuid: string }
    const body = {
      callback_url: this.#api.url,
      agent_token: token,
      agent_version: '11.2.0',
      agent_verify_ca: pem.certificate,
    }
    while (!this.#powerLost.aborted) {
      const { status } = await this.#ask('POST', `${base}/v1/heartbeat/${uuid}`, lesser(server, 68), body).catch(
        () => lost,
      )
      if (status !== 202 && status !== lost.status) this.#machine.accidents.push(`heartbeat answered ${status}`)
      const pause = config.heartbeat_timeout * 1000 * (0.3 + 0.3 * Math.random())
      await this.#pause(status === 202 ? pause : 5000 * (1 + Math.random()))
    }
  }

  /** Commands that it was given since it booted, without their extension. */
  get commands(): string[] {
    return this.#api?.given ?? []
  }

  /** Five seconds at least between two heartbeats, which a finished command hastens. */
  async #pause(ms: number): Promise<void> {
    await this.#clock.sleep(Math.min(5000, ms), this.#powerLost)
    if (this.#hurry.signal.aborted) {
      this.#hurry = new AbortController()
      return
    }
    const either = AbortSignal.any([this.#hurry.signal, this.#powerLost])
    await this.#clock.sleep(Math.max(0, ms - 5000), either).catch(() => {})
    this.#hurry = new AbortController()
    this.#powerLost.throwIfAborted()
  }

  /** Without a microversion, and five times at most; its answer says which node this is. */
  async #inspect(): Promise<string | undefined> {
    const url = this.#told['ipa-inspection-callback-url']
    if (url === undefined) return undefined
    const body = { inventory: inventoryOf(this.#machine), ...this.#machine.collected, logs: 'a'.repeat(2 << 20) }
    for (let attempt = 1; attempt <= 5; attempt += 1) {
      const { status, body: told } = await this.#ask('POST', url, undefined, body).catch(() => lost)
      if (status < 300) return told['uuid'] as string
      if (status < 500 && status !== 409) {
        this.#machine.accidents.push(`inspection answered ${status}`)
        return undefined
      }
      await this.#clock.sleep(5000 * attempt, this.#powerLost)
    }
    return undefined
  }

  async #lookUp(base: string, server: string, named: string | undefined): Promise<Record<string, unknown>> {
    // All cards that it has, InfiniBand's too, in the encoding of python's urlencode.
    const addresses = [this.#machine.mac, this.#machine.mac.replace(/^52/, '56'), Array(20).fill('a0').join(':')]
    const query = new URLSearchParams({
      addresses: addresses.join(','),
      ...(named !== undefined && { node_uuid: named }),
    })
    const reply = await this.#untilAnswered(() =>
      this.#ask('GET', `${base}/v1/lookup?${query.toString()}`, lesser(server, 62)),
    )
    return reply.body
  }

  /** Backs off from a second to a minute, and gives up after ten: init starts it anew, which is the same here. */
  async #untilAnswered(ask: () => Promise<Reply>): Promise<Reply> {
    for (let attempt = 0; ; attempt += 1) {
      const reply = await ask().catch(() => lost)
      if (reply.status === 200) return reply
      await this.#clock.sleep(Math.min(60, 2 ** attempt) * 1000 * Math.random() + 100, this.#powerLost)
    }
  }

  async #ask(method: string, url: string, version?: string, body?: unknown): Promise<Reply> {
    this.requests.push(`${method} ${new URL(url).pathname} ${version ?? '-'}`)
    const reply = await fetch(url, {
      method,
      signal: this.#powerLost,
      headers: { ...headers, ...(version !== undefined && { 'x-openstack-ironic-api-version': version }) },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    })
    const text = await reply.text()
    return { status: reply.status, body: text === '' ? {} : (JSON.parse(text) as Record<string, unknown>) }
  }
}

/** The connection failed: the appliance may be on its way up again. */
const lost: Reply = { status: 0, body: {} }

function lesser(server: string, minor: number): string {
  return `1.${Math.min(Number(server.split('.')[1]), minor)}`
}
