import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { acquireLease, openClientChannel, type ClientChannel } from '@bloomery/dhcp/client.ts'
import type { AcquiredLease } from '@bloomery/dhcp/client-machine.ts'
import { Option } from '@bloomery/dhcp/codes.ts'
import { LeaseTable } from '@bloomery/dhcp/lease-table.ts'
import { fetchFile } from '@bloomery/tftp/client.ts'
import { ipv4FromText, ipv4ToText } from '@bloomery/wire/address.ts'
import { openMetrics } from '../../metrics.ts'
import { bootConfig, type BootConfig } from '../config.ts'
import { firmware } from '../loaders.ts'
import type { BootDirectory, BootMachine } from '../machine.ts'
import { startBootServices, type BootServices } from '../services.ts'
import { openTimeline } from '../timeline.ts'

/** The machine that boots. */
export const MAC = '52:54:00:12:34:56'
export const KERNEL = Buffer.from(
  Uint8Array.from({ length: 700_000 }, (_, index) => (index * 13 + (index >> 8)) & 0xff),
)
const LOOPBACK = '127.0.0.1'

/** A machine asks for long, since a busy machine answers late; where no answer is expected, not as long. */
const PATIENTLY = [200, 400, 1_400, 4_000, 8_000]
export const BRIEFLY = [200, 400]

export type BootSite = ReturnType<typeof openBootSite>

/** The boot services of a site on loopback, for tests, with a machine that asks them. */
export function openBootSite() {
  const files = mkdtempSync(join(tmpdir(), 'boot-'))
  for (const name of ['bios', 'x64', 'arm64', 'initrd']) writeFileSync(join(files, name), `${name} bytes`)
  writeFileSync(join(files, 'kernel'), KERNEL)
  const machines = new Map<string, BootMachine>()
  const logged: { facts: Record<string, unknown>; message: string }[] = []
  const noticed: string[] = []
  const timeline = openTimeline(() => new Date())
  const closing: (() => Promise<void>)[] = []
  let started: { services: BootServices; channel: ClientChannel } | undefined
  let xid = 0

  const running = (): { services: BootServices; channel: ClientChannel } => {
    if (started === undefined) throw new Error('the site is not started')
    return started
  }

  async function start(change: Record<string, unknown> = {}): Promise<BootConfig> {
    const server = { address: LOOPBACK, port: 0 }
    const channel = await openClientChannel({ host: LOOPBACK, port: 0, server })
    closing.push(() => channel.close())
    const config = configFor(files, channel.port, change)
    const write = (facts: Record<string, unknown>, message: string): void => void logged.push({ facts, message })
    const services = await startBootServices({
      config,
      directory: directoryOf(machines),
      events: timeline,
      notices: { tell: (_, { text }) => void noticed.push(text) },
      leases: new LeaseTable(config.subnets),
      metrics: openMetrics(),
      log: { debug: write, info: write, warn: write, error: write },
      clock: { now: () => new Date() },
    })
    closing.push(() => services.stop())
    server.port = services.ports.dhcp
    started = { services, channel }
    return config
  }

  function acquire(options: ReadonlyMap<number, Uint8Array>, retry = PATIENTLY): Promise<AcquiredLease> {
    const timing = { xid: () => (xid += 1), now: Date.now, retry }
    const identity = { mac: MAC, relay: ipv4FromText(LOOPBACK), options: new Map(options) }
    return acquireLease(running().channel, identity, timing)
  }

  return {
    files,
    machines,
    logged,
    noticed,
    timeline,
    get services() {
      return running().services
    },
    start,
    acquire,
    boot: (architecture?: number, stage: 'firmware' | 'ipxe' = 'firmware', retry?: number[]) =>
      acquire(asked(architecture, stage), retry),
    due(mode: BootMachine['mode'], more: Partial<BootMachine> = {}): void {
      const ramdisk = { cmdline: 'quiet' }
      machines.set(MAC, { node: 'n1', generation: 1, macs: [MAC], arch: 'x86_64', mode, ramdisk, ...more })
    },
    /** As firmware and iPXE do it: what DHCP names is fetched, by the protocol that the name says. */
    async fetchNamed({ bootFile, nextServer, address }: AcquiredLease): Promise<Uint8Array> {
      if (!bootFile.startsWith('http://')) {
        const [host, localAddress] = [ipv4ToText(nextServer), ipv4ToText(address)]
        return fetchFile({ host, port: running().services.ports.tftp, file: bootFile, localAddress })
      }
      const answer = await fetch(bootFile)
      if (answer.status !== 200) throw new Error(`${bootFile} is answered with ${answer.status}`)
      return Buffer.from(await answer.arrayBuffer())
    },
    async close(): Promise<void> {
      for (const close of closing.splice(0)) await close()
      rmSync(files, { recursive: true })
    },
  }
}

function configFor(files: string, relayPort: number, change: Record<string, unknown>): BootConfig {
  const path = (name: string): string => join(files, name)
  const ramdisk = { kernel: path('kernel'), initrd: path('initrd') }
  const loaders = { bios: path('bios'), uefiX64: path('x64'), uefiArm64: path('arm64') }
  return bootConfig.parse({
    subnets: [{ cidr: '127.0.0.0/8', interfaceAddress: LOOPBACK, range: ['127.9.0.0', '127.9.255.255'] }],
    nextServer: LOOPBACK,
    dhcp: { host: LOOPBACK, port: 0, relayPort, probe: false },
    tftp: { host: LOOPBACK, port: 0 },
    http: { host: LOOPBACK, port: 0 },
    files: { x86_64: ramdisk, aarch64: ramdisk, loaders },
    ...change,
  })
}

/** Tokens name what they stand for: they are the ledger's to make secret. */
function directoryOf(machines: ReadonlyMap<string, BootMachine>): BootDirectory {
  return {
    byMac: (mac) => machines.get(mac),
    byBootToken(token) {
      const [, hex = '', generation] = token.split('_')
      const mac = hex.match(/../g)?.join(':') ?? ''
      const machine = machines.get(mac)
      return machine?.generation === Number(generation) ? { machine, mac } : undefined
    },
    bySpentToken: (token) => (token.startsWith('t_') ? { node: 'n1', mac: MAC } : undefined),
    bootToken: (machine, mac) => `t_${mac.replaceAll(':', '')}_${machine.generation}`,
  }
}

/** What firmware of an architecture says of itself, or the iPXE that it has started. */
function asked(architecture: number | undefined, stage: 'firmware' | 'ipxe'): Map<number, Uint8Array> {
  const options = new Map<number, Uint8Array>()
  if (architecture !== undefined) {
    const http = firmware[architecture]?.over === 'http' && stage === 'firmware'
    options.set(Option.vendorClass, Buffer.from(http ? 'HTTPClient:Arch:00016' : 'PXEClient:Arch:00000'))
    options.set(Option.clientArchitecture, Uint8Array.of(architecture >> 8, architecture & 0xff))
  }
  if (stage === 'ipxe') options.set(Option.userClass, Buffer.from('iPXE'))
  return options
}
