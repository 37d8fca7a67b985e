import { join } from 'node:path'
import { LeaseTable } from '@bloomery/dhcp/lease-table.ts'
import { bootConfig } from '../../../appliance/boot/config.ts'
import type { BootMachine } from '../../../appliance/boot/machine.ts'
import { startBootServices } from '../../../appliance/boot/services.ts'
import { openTimeline } from '../../../appliance/boot/timeline.ts'
import { openMetrics } from '../../../appliance/metrics.ts'

/** The boot services in a namespace of their own, with one machine whose ramdisk is due. usage: site.ts DIR MAC [secure] [ipv6] */
const [dir = '', mac = '', ...options] = process.argv.slice(2)
const file = (name: string): string => join(dir, name)
const ipv6 = { address: 'fd00:97::1', links: [{ prefix: 'fd00:97::/64', interface: 'tap0' }] }
const config = bootConfig.parse({
  subnets: [{ cidr: '10.97.0.0/24', interfaceAddress: '10.97.0.1', range: ['10.97.0.100', '10.97.0.199'] }],
  nextServer: '10.97.0.1',
  ipv6: options.includes('ipv6') ? ipv6 : undefined,
  files: { x86_64: { kernel: file('kernel'), initrd: file('initrd') }, loaders: {} },
})
const machine: BootMachine = {
  node: 'n1',
  generation: 1,
  macs: [mac],
  arch: 'x86_64',
  mode: 'ramdisk',
  secureBoot: options.includes('secure'),
  ramdisk: { cmdline: 'console=ttyS0 panic=-1' },
}
const print = (facts: Record<string, unknown>, message: string): void =>
  void process.stdout.write(`${JSON.stringify({ ...facts, message })}\n`)
const services = await startBootServices({
  config,
  directory: {
    byMac: (asked) => (asked === mac ? machine : undefined),
    byBootToken: (token) => (token === 'token' ? { machine, mac } : undefined),
    bootToken: () => 'token',
  },
  events: openTimeline(() => new Date()),
  leases: new LeaseTable(config.subnets),
  log: { debug: print, info: print, warn: print, error: print },
  metrics: openMetrics(),
  clock: { now: () => new Date() },
})
process.stdout.write('{"up":true}\n')
process.once('SIGTERM', () => void services.stop())
