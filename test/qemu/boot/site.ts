import { join } from 'node:path'
import { LeaseTable } from '@bloomery/dhcp/lease-table.ts'
import { bootConfig } from '../../../appliance/boot/config.ts'
import type { BootMachine } from '../../../appliance/boot/machine.ts'
import { startBootServices } from '../../../appliance/boot/services.ts'
import { openTimeline } from '../../../appliance/boot/timeline.ts'
import { openMetrics } from '../../../appliance/metrics.ts'
import type { Way } from './cables.ts'

export interface SiteOptions {
  /** Where `kernel` and `initrd` lie. */
  dir: string
  mac: string
  arch: BootMachine['arch']
  secureBoot: boolean
  ipv6: boolean
  way: Way
  loaders: Record<string, string>
  https?: { certificate: string; key: string } | undefined
}

/** The boot services in a namespace of their own, with one machine whose ramdisk is due. usage: site.ts OPTIONS-AS-JSON */
const options = JSON.parse(process.argv[2] ?? '{}') as SiteOptions
const { mac, arch } = options
const interfaceAddress = '10.97.0.1'
const subnets = {
  cable: { cidr: '10.97.0.0/24', interfaceAddress, range: ['10.97.0.100', '10.97.0.199'] },
  relay: { cidr: '10.98.0.0/24', interfaceAddress, range: ['10.98.0.100', '10.98.0.199'], gateway: '10.98.0.1' },
  dnsmasq: { cidr: '10.97.0.0/24', interfaceAddress, mode: 'proxy' },
}
const ipv6 = { address: 'fd00:97::1', links: [{ prefix: 'fd00:97::/64', interface: 'prov0' }] }
const config = bootConfig.parse({
  // Where IPv6 is tried, IPv4 is another's business.
  subnets: [subnets[options.ipv6 ? 'relay' : options.way]],
  nextServer: interfaceAddress,
  https: options.https,
  ipv6: options.ipv6 ? ipv6 : undefined,
  files: {
    [arch]: { kernel: join(options.dir, 'kernel'), initrd: join(options.dir, 'initrd') },
    loaders: options.loaders,
  },
})
const console = { x86_64: 'ttyS0', aarch64: 'ttyAMA0' }[arch]
const machine: BootMachine = {
  node: 'n1',
  generation: 1,
  macs: [mac],
  arch,
  mode: 'ramdisk',
  secureBoot: options.secureBoot,
  ramdisk: { cmdline: `console=${console} panic=-1 ipa-api-url=http://${interfaceAddress}:8080` },
}
const print = (facts: Record<string, unknown>, message: string): void =>
  void process.stdout.write(`${JSON.stringify({ ...facts, message })}\n`)
const log = { debug: print, info: print, warn: print, error: print }
const services = await startBootServices({
  config,
  directory: {
    byMac: (asked) => (asked === mac ? machine : undefined),
    byBootToken: (token) => (token === 'token' ? { machine, mac } : undefined),
    bySpentToken: () => undefined,
    bootToken: () => 'token',
  },
  notices: { tell: () => {} },
  events: openTimeline(() => new Date()),
  leases: new LeaseTable(config.subnets),
  log,
  metrics: openMetrics(),
  clock: { now: () => new Date() },
})
process.stdout.write('{"up":true}\n')
process.once('SIGTERM', () => void services.stop())
