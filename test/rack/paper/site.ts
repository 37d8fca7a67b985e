import { createHash, randomBytes, randomUUID } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { getRequestListener } from '@hono/node-server'
import { httpsAgentClient } from '../../../appliance/agents/client.ts'
import { ISO } from '../../../appliance/boot/boot-part.ts'
import { noDiscovery } from '../../../appliance/boot/discovery.ts'
import { bootApp } from '../../../appliance/boot/http.ts'
import { type BootEvents, type BootMachine, commandLine } from '../../../appliance/boot/machine.ts'
import type { Captured } from '../../../appliance/capture/capture.ts'
import type { CaptureOrder } from '../../../appliance/capture/captures.ts'
import type { BmcAuthority } from '../../../appliance/bmc-authority.ts'
import type { Clock } from '../../../appliance/clock.ts'
import { openDrivers } from '../../../appliance/drivers/table.ts'
import { openHealthGauges } from '../../../appliance/health/gauges.ts'
import type { Identity } from '../../../appliance/identity.ts'
import { openLedger } from '../../../appliance/ledger/ledger.ts'
import type { Log } from '../../../appliance/log.ts'
import type { CrashPoint } from '../../../appliance/plans/run-plan.ts'
import { type BootMedia, openBootMedia } from '../../../appliance/media/media.ts'
import { openMetrics } from '../../../appliance/metrics.ts'
import { type PowerConfig, powerConfig } from '../../../appliance/power/policy.ts'
import { ramdiskCommandLine } from '../../../appliance/ramdisk-command-line.ts'
import { startSite, type Site } from '../../../appliance/site.ts'
import type { Credentials } from '../../../appliance/uplink/credentials.ts'
import type { Link } from '../../../appliance/uplink/link.ts'
import type { VolumeOptions } from '../../../appliance/volumes/volumes.ts'
import { openVswitch } from '../../../appliance/switches/open-vswitch.ts'
import type { SwitchConfig } from '../../../appliance/switches/config.ts'
import { openSwitches } from '../../../appliance/switches/switch.ts'
import { PaperAgent, PaperAgents } from './agent.ts'
import type { PaperMachine } from './machine.ts'
import type { Medium } from './medium.ts'
import { runInstaller } from './installer.ts'
import { IpaRamdisk } from '../ipa/ramdisk.ts'

const PAPER_DOOR = 'https://paper.site:6385'

export type RamdiskKind = 'paper' | 'ironic-python-agent'

export interface PaperSiteOptions {
  dir: string
  identity: Pick<Identity, 'uuid' | 'sealingKey'>
  link: Link
  credentials?: Credentials
  clock: Clock
  log: Log
  machines: PaperMachine[]
  get?: typeof fetch
  /** Told of bytes of images in chunks that the site got from the cloud. */
  imageBytes?(bytes: number): void
  crashPoint?: CrashPoint
  /** How often sensors and logs are looked at; absent: never. */
  healthMs?: number
  /** Machines that no node knows boot the ramdisk too. */
  discovers?: boolean
  power?: Partial<PowerConfig>
  /** Of its own configuration; others it hears of from the cloud. */
  switches?: SwitchConfig[]
  /** Signs certificates of BMCs. */
  authority?: BmcAuthority
  /** What machines run that boot the ramdisk; its own agent unless said. */
  ramdisk?: RamdiskKind
  /** HOST:PORT of those without TLS. */
  registries?: string[] | undefined
  /** Where it has volumes; absent: nowhere. */
  volumes?: VolumeOptions | undefined
  /** Frames of wires; paper has none. */
  capture?(order: CaptureOrder): Promise<Captured>
}

/** The appliance's own program, with paper machines in place of the provisioning network. */
export class PaperSite {
  readonly site: Site
  readonly #options: PaperSiteOptions
  readonly #server: Server
  readonly #drivers = openDrivers()
  readonly #ledger
  readonly #agents: PaperAgents
  readonly #port: number
  readonly #media: BootMedia
  readonly metrics = openMetrics()
  /** Each that booted, in its order. */
  readonly ironicAgents: IpaRamdisk[] = []
  readonly seen: { mac: string; kind: string }[] = []

  private constructor(options: PaperSiteOptions, server: Server, agents: PaperAgents) {
    this.#options = options
    this.#server = server
    this.#agents = agents
    const ledger = openLedger(join(options.dir, 'ledger.sqlite'))
    this.#ledger = ledger
    this.#port = (server.address() as AddressInfo).port
    const events: BootEvents = { seen: (mac, kind) => void this.seen.push({ mac, kind }) }
    this.#media = paperMedia(options.dir, this.#base, (node) => this.site.agentToken(node))
    this.site = startSite({
      ...options,
      ledger,
      random: Math.random,
      uuid: randomUUID,
      token: () => randomBytes(32).toString('base64url'),
      drivers: this.#drivers.drivers,
      power: powerConfig.parse(options.power),
      fake: {},
      agentClient: options.ramdisk === 'ironic-python-agent' ? httpsAgentClient() : agents,
      imageDir: join(options.dir, 'images'),
      chunkDir: join(options.dir, 'chunks'),
      imageKeys: [],
      imageSources: {
        file_url_allowed_paths: [join(options.dir, 'local-images')],
        oci_http_registries: options.registries ?? [],
      },
      imagePeers: { above: 4 },
      imageBytes: options.imageBytes ?? (() => {}),
      imageQuota: 2 ** 30,
      get: options.get ?? fetch,
      consoles: { dir: join(options.dir, 'consoles'), attend: true },
      deployLogs: { dir: join(options.dir, 'deploy-logs'), collect: 'on_failure', most: 10 },
      captureDir: join(options.dir, 'captures'),
      capture: options.capture ?? (() => Promise.reject(new Error('paper has no wires'))),
      doorUrl: options.ramdisk === 'ironic-python-agent' ? this.#base : PAPER_DOOR,
      media: this.#media,
      imageUrl: this.#base,
      discovers: options.discovers ?? false,
      kernelArguments: '',
      events,
      lastSeen: (macs) => {
        const last = this.seen.findLast((each) => macs.includes(each.mac))
        return last && `last seen: ${last.kind}`
      },
      marks: () => [],
      software: 'paper',
      health: {
        intervalMs: options.healthMs ?? 0,
        gauges: openHealthGauges(this.metrics, { sensors: 16, series: 1000 }),
      },
      switches: openSwitches(options.switches ?? [], openVswitch, options.identity),
      crashPoint: (at) => {
        try {
          options.crashPoint?.(at)
        } catch (error) {
          this.#cutPower()
          throw error
        }
      },
    })
    for (const machine of options.machines) this.adopt(machine)
  }

  /** Plugs it into the provisioning network. */
  adopt(machine: PaperMachine): void {
    machine.provisioning = {
      networkBoot: (of, powerLost) => this.#networkBoot(of, powerLost),
      mediaBoot: (of, medium, powerLost) => this.#mediaBoot(of, medium, powerLost),
    }
  }

  /** `before`: the life that a power cut ended; agents outlive it, and the address stays. */
  static async start(options: PaperSiteOptions, before?: PaperSite): Promise<PaperSite> {
    const agents = before?.agents ?? new PaperAgents()
    const media = getRequestListener((request, { incoming, outgoing }) =>
      site.#bootApp().fetch(request, { incoming, outgoing }),
    )
    const door = getRequestListener((request) => site.site.door.fetch(request))
    const server = createServer((request, reply) => {
      if (request.url?.startsWith('/boot/')) void media(request, reply)
      else if (/^\/(v1\/.*)?$/.test(request.url ?? '')) void door(request, reply)
      else site.site.images(request, reply)
    })
    await new Promise<void>((resolve) => void server.listen(before?.imagePort ?? 0, '127.0.0.1', resolve))
    const site = new PaperSite(options, server, agents)
    return site
  }

  /** As the appliance serves boots, but for its own ramdisk, which is of paper. */
  #bootApp() {
    const { machines: directory, events, notices } = this.site
    const { log, dir } = this.#options
    return bootApp({
      media: this.#media,
      installerToken: this.site.installerToken,
      files: { loaders: new Map(), ramdisks: { loaders: {} }, refused: [] },
      imageDir: join(dir, 'images'),
      directory,
      discovery: noDiscovery,
      leases: { byAddress: () => undefined },
      events,
      notices,
      log,
      metrics: this.metrics,
    })
  }

  get #base(): string {
    return `http://127.0.0.1:${this.#port}`
  }

  get imagePort(): number {
    return this.#port
  }

  get agents(): PaperAgents {
    return this.#agents
  }

  /** What the real boot services do for a machine, told in their own words. */
  async #networkBoot(machine: PaperMachine, powerLost: AbortSignal): Promise<void> {
    const { clock } = this.#options
    const site = this.#current()
    site.events.seen(machine.mac, 'dhcp discover')
    const boot = site.machines.byMac(machine.mac)
    if (boot?.mode === 'instance') return this.#runInstance(machine, boot)
    const unknown = boot === undefined && this.#options.discovers === true
    if (boot?.mode !== 'ramdisk' && !unknown) return
    const doorUrl = this.#options.ramdisk === 'ironic-python-agent' ? this.#base : PAPER_DOOR
    const cmdline = unknown
      ? ramdiskCommandLine({ doorUrl, kernelArguments: '' }, 'inspect')
      : (boot?.ramdisk?.cmdline ?? '')
    for (const kind of ['dhcp ack', 'script', 'kernel', 'initrd'] as const) {
      this.#current().events.seen(machine.mac, kind)
      await clock.sleep(1000, powerLost)
    }
    if (this.#options.ramdisk === 'ironic-python-agent') {
      const ipa = new IpaRamdisk(machine, clock, powerLost, cmdline)
      this.ironicAgents.push(ipa)
      return ipa.run()
    }
    const agent = new PaperAgent(machine, clock, powerLost)
    this.#agents.add(agent)
    await agent.inspect(cmdline, this.#current().door)
    await agent.start(() => this.#current().door)
  }

  /** By the URLs that its script names, from the real server. */
  async #runInstance(machine: PaperMachine, boot: BootMachine): Promise<void> {
    const token = this.#current().machines.bootToken(boot, machine.mac)
    const digests: string[] = []
    for (const part of boot.instance?.iso ? ([ISO] as const) : (['kernel', 'initrd'] as const)) {
      const reply = await fetch(`http://127.0.0.1:${this.#port}/boot/${token}/${part}`)
      if (!reply.ok) throw new Error(`${part} of the instance answers ${reply.status}`)
      digests.push(
        createHash('sha256')
          .update(Buffer.from(await reply.arrayBuffer()))
          .digest('hex'),
      )
    }
    const told = commandLine(boot, token)
    machine.ramdisks.push([...digests, told].join(' '))
    if (boot.instance?.kickstart !== undefined) await runInstaller(machine, told, this.#options.clock)
  }

  /** No DHCP: the ramdisk has its addresses and its token from the medium. */
  async #mediaBoot(machine: PaperMachine, medium: Medium, powerLost: AbortSignal): Promise<void> {
    const boot = this.#current().machines.byMac(machine.mac)
    if (boot?.mode === 'instance') return this.#runInstance(machine, boot)
    machine.network = medium.network
    const agent = new PaperAgent(machine, this.#options.clock, powerLost, medium.agentToken)
    this.#agents.add(agent)
    await agent.start(() => this.#current().door)
  }

  /** A machine outlives the appliance that booted it: it goes on with the one that took over. */
  #current(): Site {
    return this.#successor ? this.#successor.#current() : this.site
  }

  #successor: PaperSite | undefined
  takenOverBy(next: PaperSite): void {
    this.#successor = next
  }

  /** As kill -9: nothing more is written, nothing is said. Machines and their agents go on. */
  kill(): void {
    void this.#options.link.end()
    this.#cutPower()
  }

  #cutPower(): void {
    this.#ledger.close()
    this.#server.close()
    this.#server.closeAllConnections()
  }

  async stop(): Promise<void> {
    await this.site.stop().catch(() => {})
    this.#server.closeAllConnections()
    this.#server.close()
    await this.#drivers.close()
    if (this.#ledger.db.isOpen) this.#ledger.close()
  }
}

/** With a kernel and loaders of paper; all else of the medium is real. */
function paperMedia(dir: string, base: string, agentToken: (node: string) => string | undefined): BootMedia {
  mkdirSync(dir, { recursive: true })
  const [kernel, initrd] = [join(dir, 'kernel'), join(dir, 'initrd')]
  for (const path of [kernel, initrd]) writeFileSync(path, 'paper')
  const loaders = () => Promise.resolve({ uefi: Buffer.alloc(4096, 'paper') })
  return openBootMedia({ files: { x86_64: { kernel, initrd }, loaders: {} }, base, agentToken, loaders })
}
