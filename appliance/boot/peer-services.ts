import { join } from 'node:path'
import { LeaseTable } from '@bloomery/dhcp/lease-table.ts'
import { openMetrics } from '../metrics.ts'
import { bootConfig } from './config.ts'
import { startBootServices } from './services.ts'
import { openTimeline } from './timeline.ts'

/** The boot services as a program of its own, for peers in another network namespace. Each log line is a line of JSON. usage: DIR */
const [dir = ''] = process.argv.slice(2)
const file = (name: string): string => join(dir, name)
const config = bootConfig.parse({
  subnets: [{ cidr: '10.96.0.0/24', interfaceAddress: '10.96.0.1', range: ['10.96.0.100', '10.96.0.199'] }],
  nextServer: '10.96.0.1',
  ipv6: { address: 'fd00:96::1', links: [{ prefix: 'fd00:96::/64', interface: 'prov0' }, { prefix: 'fd00:95::/64' }] },
  unknownMachines: 'discover',
  files: {
    x86_64: { kernel: file('kernel'), initrd: file('initrd') },
    loaders: { bios: file('loader'), uefiX64: file('loader') },
  },
})
const print = (facts: Record<string, unknown>, message: string): void =>
  void process.stdout.write(`${JSON.stringify({ ...facts, message })}\n`)
const services = await startBootServices({
  config,
  directory: {
    byMac: () => undefined,
    byBootToken: () => undefined,
    bySpentToken: () => undefined,
    bootToken: () => 'token',
  },
  notices: { tell: () => {} },
  events: openTimeline(() => new Date()),
  leases: new LeaseTable(config.subnets),
  log: { debug: print, info: print, warn: print, error: print },
  metrics: openMetrics(),
  clock: { now: () => new Date() },
})
process.stdout.write('{"up":true}\n')
process.once('SIGTERM', () => void services.stop())
