import { createHash, randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createClient, type Client } from '../../../contract/api/client.ts'
import type { NodeView } from '../../../contract/api/views.ts'
import { isTransient, type ProvisionState, type Verb } from '../../../contract/provision.ts'
import type { Log } from '../../../appliance/log.ts'
import { fastClock } from './clock.ts'
import { FleetSite } from './fleet-site.ts'
import { PaperMachine } from './machine.ts'
import type { PaperSiteOptions } from './site.ts'

export interface FleetOptions {
  endpoint: string
  auth?: { username: string; password: string }
  /** For a cloud that wants more than a user's name and password. */
  fetch?: typeof fetch
  sites: number
  machinesPerSite: number
  /** In turn; `ipmi` unless said. */
  drivers?: readonly PaperMachine['driver'][]
  /** How much faster than the wall's the sites' time goes. */
  speed: number
  /** How sites record frames. */
  capture?: PaperSiteOptions['capture']
  /** How often sites look at sensors and logs; absent: never. */
  healthMs?: number
  /** What machines run that boot the ramdisk. */
  ramdisk?: PaperSiteOptions['ramdisk']
  /** Of containers, that sites may ask without TLS. */
  registries?: PaperSiteOptions['registries']
  /** Sites boot machines that no node knows, too. */
  discovers?: boolean
  /** Of its one site. */
  volumes?: PaperSiteOptions['volumes']
  /** Told of bytes of images in chunks that sites got from the cloud. */
  imageBytes?(bytes: number): void
}

/** A node as the cloud knows it, and the machine that it is. */
export interface Member {
  uuid: string
  site: FleetSite
  machine: PaperMachine
}

export const IMAGE = Buffer.alloc(256 * 1024, 'bloomery fleet')
export const DIGEST = createHash('sha256').update(IMAGE).digest('hex')

/** Sites of paper machines under a cloud that knows them by its API and its broker only. */
export class Fleet {
  readonly client: Client
  readonly dir = mkdtempSync(join(tmpdir(), 'bloomery-fleet-'))
  readonly sites: FleetSite[] = []
  readonly members: Member[] = []
  /** What all appliances logged. */
  readonly logged: string[] = []
  readonly #options: FleetOptions

  constructor(options: FleetOptions) {
    this.#options = options
    this.client = createClient(options)
  }

  async join(): Promise<void> {
    const {
      sites,
      machinesPerSite,
      speed,
      endpoint,
      drivers = ['ipmi'],
      capture,
      healthMs,
      imageBytes,
      ramdisk,
      registries,
      discovers,
      volumes,
    } = this.#options
    const clock = fastClock(speed)
    const log = this.#log()
    for (let index = 0; index < sites; index += 1) {
      const name = `site-${index + 1}`
      const machines = Array.from({ length: machinesPerSite }, (_, of) =>
        newMachine(index, of, clock, drivers[of % drivers.length]),
      )
      const dir = join(this.dir, name)
      const of = {
        name,
        endpoint,
        client: this.client,
        dir,
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
      this.sites.push(await FleetSite.join(of))
    }
    for (const site of this.sites)
      for (const machine of site.machines) this.members.push({ site, machine, uuid: await this.create(site, machine) })
  }

  /** The node and port of a machine. */
  async create(site: FleetSite, machine: PaperMachine, password = machine.password): Promise<string> {
    const { uuid } = await this.client.nodes.create({
      name: machine.name,
      driver: machine.driver,
      conductor_group: site.name,
      driver_info: machine.driverInfo(password),
      properties: { cpu_arch: 'x86_64' },
    })
    await this.client.ports.create({ node_uuid: uuid, address: machine.mac })
    return uuid
  }

  /** Announced, uploaded and confirmed. */
  async pushImage(name: string): Promise<void> {
    const { upload } = await this.client.images.create({
      name,
      size: IMAGE.length,
      sha256: DIGEST,
      disk_format: 'raw',
    })
    const reply = await fetch(upload.url, { method: 'PUT', headers: upload.headers, body: new Uint8Array(IMAGE) })
    if (!reply.ok) throw new Error(`upload answered ${reply.status}: ${await reply.text()}`)
    await this.client.images.complete(name)
  }

  /** Raises the verb on all, then waits until they are there. */
  async bring(members: Member[], verb: Verb, state: ProvisionState, withinMs: number): Promise<void> {
    await each(members, ({ uuid }) => this.client.nodes.provision(uuid, verb))
    await this.reach(members, state, withinMs)
  }

  /** Asks for all of them at once, so that watching costs the same however many they are. */
  async reach(members: Member[], state: ProvisionState, withinMs: number): Promise<void> {
    const until = Date.now() + withinMs
    for (;;) {
      const listed = await this.client.nodes.list()
      const states = new Map(listed.map((node) => [node.uuid, node.provision_state]))
      const missing = members.filter(({ uuid }) => states.get(uuid) !== state)
      if (missing.length === 0) return
      const lost = missing.find(({ uuid }) => !isTransient(states.get(uuid) ?? 'error'))
      if (lost || Date.now() > until) await this.awaitState((lost ?? missing[0]!).uuid, state, 0)
      await new Promise((resolve) => setTimeout(resolve, 200))
    }
  }

  async makeAvailable(members: Member[], withinMs = 60_000): Promise<void> {
    await this.bring(members, 'manage', 'manageable', withinMs)
    await this.bring(members, 'provide', 'available', withinMs)
  }

  async startDeploy(members: Member[], image: string): Promise<void> {
    await each(members, async ({ uuid }) => {
      await this.client.nodes.patch(uuid, [{ op: 'add', path: '/instance_info/image_source', value: image }])
      await this.client.nodes.provision(uuid, 'active', { configdrive: { meta_data: { hostname: `h-${uuid}` } } })
    })
  }

  /** Fails at once when the node comes to rest elsewhere. */
  async awaitState(uuid: string, state: ProvisionState, withinMs: number): Promise<NodeView> {
    const until = Date.now() + withinMs
    for (;;) {
      const node = await this.client.nodes.get(uuid)
      if (node.provision_state === state) return node
      const resting = node.target_provision_state === null || node.provision_state?.endsWith('failed')
      if (resting || Date.now() > until)
        throw new Error(
          `${node.name} is ${node.provision_state}, not ${state}: ${node.last_error ?? JSON.stringify(node.operation)}`,
        )
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
  }

  async history(uuid: string): Promise<string[]> {
    return (await this.client.nodes.history(uuid)).map(({ event }) => event)
  }

  accidents(): string[] {
    return this.members.flatMap(({ machine }) => machine.accidents.map((text) => `${machine.name}: ${text}`))
  }

  async tearDown(): Promise<void> {
    for (const site of this.sites) await site.stop()
    rmSync(this.dir, { recursive: true, force: true })
  }

  #log(): Log {
    const write =
      (level: string) =>
      (facts: Record<string, unknown>, message: string): void =>
        void this.logged.push(JSON.stringify({ level, message, ...facts }))
    return { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') }
  }
}

/** As many API calls at once as a person's script would make. */
async function each<T>(members: T[], work: (of: T) => Promise<void>): Promise<void> {
  const todo = [...members]
  const worker = async (): Promise<void> => {
    for (let next = todo.shift(); next !== undefined; next = todo.shift()) await work(next)
  }
  await Promise.all(Array.from({ length: 16 }, worker))
}

function newMachine(
  site: number,
  index: number,
  clock: ReturnType<typeof fastClock>,
  driver?: PaperMachine['driver'],
): PaperMachine {
  const hex = (value: number): string => value.toString(16).padStart(2, '0')
  return new PaperMachine({
    name: `m-${site + 1}-${index + 1}`,
    mac: `52:54:00:${hex(site)}:${hex(index >> 8)}:${hex(index & 255)}`,
    password: `pw-${randomBytes(6).toString('hex')}`, // RMCP+: at most 20 bytes
    clock,
    driver,
    postMs: 5000,
  })
}
