import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Client } from '../../../contract/api/client.ts'
import { enrol } from '../../../appliance/enrol.ts'
import { readIdentity, type Identity } from '../../../appliance/identity.ts'
import type { Clock } from '../../../appliance/clock.ts'
import type { Log } from '../../../appliance/log.ts'
import { openCredentials } from '../../../appliance/uplink/credentials.ts'
import { connectMqtt } from '../../../appliance/uplink/mqtt.ts'
import type { PaperMachine } from './machine.ts'
import { recorded, type Crossed } from './recorded-link.ts'
import { Relay } from './relay.ts'
import { PaperSite, type PaperSiteOptions } from './site.ts'

export interface FleetSiteOptions {
  name: string
  /** The name of another appliance of a site that is there already. */
  beside?: string
  /** Of the cloud's API. */
  endpoint: string
  client: Client
  /** The appliance's disk. */
  dir: string
  clock: Clock
  log: Log
  machines: PaperMachine[]
  capture?: PaperSiteOptions['capture']
  healthMs?: number
  /** What machines run that boot the ramdisk. */
  ramdisk?: PaperSiteOptions['ramdisk']
  registries?: PaperSiteOptions['registries']
  /** Machines that no node knows boot the ramdisk too. */
  discovers?: boolean
  volumes?: PaperSiteOptions['volumes']
  imageBytes?(bytes: number): void
}

/** One site of a fleet: an appliance that has joined as a person would have it join, its machines, and its WAN, which can be cut. */
export class FleetSite {
  readonly name: string
  readonly machines: PaperMachine[]
  readonly relay: Relay
  readonly identity: Identity
  readonly crossed: Crossed = { sent: [], up: [], down: [] }
  readonly #options: FleetSiteOptions
  #life: PaperSite | undefined

  private constructor(options: FleetSiteOptions, identity: Identity, relay: Relay) {
    this.#options = options
    this.name = options.name
    this.machines = options.machines
    this.identity = identity
    this.relay = relay
  }

  static async join(options: FleetSiteOptions): Promise<FleetSite> {
    const { name, beside, client, endpoint, dir, machines, clock } = options
    mkdirSync(dir, { recursive: true })
    if (beside === undefined) await client.sites.create(name)
    const { token } = await client.sites.createToken(name)
    const path = join(dir, 'identity.json')
    const identity = await enrol({
      endpoint,
      token,
      name: beside ?? `${name}-appliance`,
      path,
      now: () => clock.now(),
      post,
    })
    const broker = new URL(identity.broker)
    const relay = await Relay.start({ host: broker.hostname, port: Number(broker.port) })
    const site = new FleetSite(options, { ...identity, broker: `mqtts://127.0.0.1:${relay.port}` }, relay)
    for (const machine of machines) await machine.plugIn()
    await site.boot()
    return site
  }

  /** The appliance that runs now. */
  get life(): PaperSite {
    if (!this.#life) throw new Error(`the appliance of ${this.name} was never booted`)
    return this.#life
  }

  /** A new life of the appliance on the same disk. */
  async boot(): Promise<void> {
    const before = this.#life
    const { dir, clock, log, machines, capture, healthMs, imageBytes, ramdisk, registries, discovers, volumes } =
      this.#options
    const path = join(dir, 'identity.json')
    const identity = { ...readIdentity(path), broker: this.identity.broker }
    const credentials = openCredentials({ path, identity, clock, log })
    const link = recorded(
      connectMqtt(identity, credentials, () => 0, log),
      this.crossed,
    )
    const options = {
      dir,
      identity: this.identity,
      link,
      credentials,
      clock,
      log,
      machines,
      capture,
      healthMs,
      imageBytes,
      ramdisk,
      registries,
      discovers,
      volumes,
    }
    this.#life = await PaperSite.start(options, before)
    before?.takenOverBy(this.#life)
  }

  async stop(): Promise<void> {
    await this.#life?.stop()
    await this.relay.close()
    for (const machine of this.machines) await machine.unplug()
  }
}

async function post(url: string, body: string, signal: AbortSignal): Promise<{ status: number; text: string }> {
  const reply = await fetch(url, { method: 'POST', body, signal, headers: { 'content-type': 'application/json' } })
  return { status: reply.status, text: await reply.text() }
}
