import { createHash, randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { newSealingKey, seal } from '../../../contract/seal.ts'
import type { Plan, Step } from '../../../contract/plan.ts'
import type { StepName } from '../../../contract/step-arguments.ts'
import type { Log } from '../../../appliance/log.ts'
import { fastClock } from './clock.ts'
import { PaperMachine } from './machine.ts'
import { MemoryCloud } from './memory-link.ts'
import { PaperSite, type PaperSiteOptions } from './site.ts'

/** One site with one paper machine and the smallest of clouds, for scenarios of the site alone. */
export const IMAGE = Buffer.alloc(256 * 1024, 'bloomery')
export const DIGEST = createHash('sha256').update(IMAGE).digest('hex')

export class Fixture {
  readonly cloud = new MemoryCloud()
  readonly dir = mkdtempSync(join(tmpdir(), 'paper-'))
  readonly clock = fastClock(400)
  readonly identity = { uuid: randomUUID(), key: newSealingKey() }
  readonly machine: PaperMachine
  readonly log: { level: string; message: string; facts: Record<string, unknown> }[] = []
  readonly node = randomUUID()
  site: PaperSite | undefined
  /** Answers instead of the blob store. */
  get: typeof fetch = (_url, init) => Promise.resolve(ranged(IMAGE, new Headers(init?.headers).get('range')))

  readonly #more: Partial<PaperSiteOptions>

  constructor(driver: 'ipmi' | 'redfish' = 'ipmi', more: Partial<PaperSiteOptions> = {}) {
    this.#more = more
    this.machine = new PaperMachine({
      name: `m${process.pid}`,
      mac: '52:54:00:00:00:01',
      password: 'paper-secret',
      clock: this.clock,
      postMs: 5000,
      driver,
    })
    this.cloud.urls = { image: 'https://blobs.paper/image' }
  }

  async plugIn(): Promise<this> {
    await this.machine.plugIn()
    return this
  }

  /** A new life of the appliance on the same disk. */
  async boot(crashPoint?: (at: string) => void): Promise<PaperSite> {
    const before = this.site
    const write =
      (level: string) =>
      (facts: Record<string, unknown>, message: string): void =>
        void this.log.push({ level, message, facts })
    const log: Log = { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') }
    const options = {
      dir: this.dir,
      identity: { uuid: this.identity.uuid, sealingKey: this.identity.key.privateKey },
      link: this.cloud.link(),
      clock: this.clock,
      log,
      machines: [this.machine],
      get: ((url, init) => this.get(url, init)) as typeof fetch,
      crashPoint,
      ...this.#more,
    }
    this.site = await PaperSite.start(options, before)
    before?.takenOverBy(this.site)
    return this.site
  }

  async tearDown(): Promise<void> {
    await this.site?.stop()
    await this.machine.unplug()
    rmSync(this.dir, { recursive: true, force: true })
  }

  plan(kind: Plan['kind'], steps: Step[], generation = 1, lane: Plan['lane'] = 'provision'): Plan {
    const password = seal(this.machine.password, `${this.node}/${this.machine.driver}_password`, [
      { appliance: this.identity.uuid, key: this.identity.key.publicKey },
    ])
    return {
      id: randomUUID(),
      node: this.node,
      generation,
      lane,
      kind,
      machine: {
        node: this.node,
        name: 'paper-1',
        driver: this.machine.driver,
        interfaces: {},
        driver_info: this.machine.driverInfo(password),
        properties: { cpu_arch: 'x86_64' },
        instance_info: {},
        boot_mode: 'uefi',
        cpu_arch: 'x86_64',
        disable_power_off: false,
        ports: [{ uuid: randomUUID(), address: this.machine.mac, pxe_enabled: true }],
      },
      steps,
      on_failure: [step('power.power_off'), step('boot.clean_up_ramdisk')],
      created_at: new Date().toISOString(),
    }
  }

  deployPlan(generation = 1, digest = DIGEST): Plan {
    const image = {
      name: 'paper-image',
      source: { kind: 'blob', key: 'image' },
      size: IMAGE.length,
      disk_format: 'raw',
      os_hash_algo: 'sha256',
      os_hash_value: digest,
    }
    return this.plan(
      'deploy',
      [
        step('power.power_off'),
        step('boot.prepare_ramdisk'),
        step('power.power_on'),
        step('deploy.start_agent', {}, { deadline_seconds: 900, waits: true }),
        step('deploy.write_image', { image, config_drive: null }, { deadline_seconds: 3600, waits: true }),
        step('deploy.prepare_instance_boot'),
        step('deploy.tear_down_agent'),
        step('boot.prepare_instance'),
        step('deploy.boot_instance'),
      ],
      generation,
    )
  }
}

export function step(name: StepName, args: Record<string, unknown> = {}, more: Partial<Step> = {}): Step {
  const [of, what] = name.split('.') as [string, string]
  return { interface: of, step: what, args, priority: 0, deadline_seconds: 300, waits: false, ...more }
}

function ranged(bytes: Buffer, header: string | null): Response {
  const from = Number(/^bytes=(\d+)-$/.exec(header ?? '')?.[1] ?? 0)
  if (from >= bytes.length) return new Response(null, { status: 416 })
  const headers = { 'content-range': `bytes ${from}-${bytes.length - 1}/${bytes.length}` }
  return new Response(new Uint8Array(bytes.subarray(from)), { status: header ? 206 : 200, headers })
}
