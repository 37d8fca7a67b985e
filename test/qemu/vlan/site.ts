import { LeaseTable } from '@bloomery/dhcp/lease-table.ts'
import { bootConfig } from '../../../appliance/boot/config.ts'
import { startBootDhcp } from '../../../appliance/boot/dhcp.ts'
import { noDiscovery } from '../../../appliance/boot/discovery.ts'
import { openTimeline } from '../../../appliance/boot/timeline.ts'
import { bootUrls } from '../../../appliance/boot/urls.ts'
import { openMetrics } from '../../../appliance/metrics.ts'

/** The appliance's DHCP on two VLANs of one card. It gives addresses only: nobody here boots. */
const subnet = (vlan: number) => ({
  cidr: `10.${vlan}.0.0/24`,
  interfaceAddress: `10.${vlan}.0.1`,
  interface: `site0.${vlan}`,
  range: [`10.${vlan}.0.100`, `10.${vlan}.0.199`],
})
const config = bootConfig.parse({
  subnets: [subnet(20), subnet(30)],
  nextServer: '10.20.0.1',
  unknownMachines: 'local',
  files: {},
})
const print = (facts: Record<string, unknown>, message: string): void =>
  void process.stdout.write(`SITE ${JSON.stringify({ ...facts, message })}\n`)
const nobody = () => undefined
await startBootDhcp({
  config,
  directory: { byMac: nobody, byBootToken: nobody, bySpentToken: nobody, bootToken: () => '' },
  discovery: noDiscovery,
  policy: { unknownMachines: config.unknownMachines, hasLoader: () => false, hasRamdisk: () => false },
  urls: bootUrls('http://10.20.0.1', undefined),
  leases: new LeaseTable(config.subnets),
  events: openTimeline(() => new Date()),
  notices: { tell: () => {} },
  log: { debug: print, info: print, warn: print, error: print },
  metrics: openMetrics(),
  clock: { now: () => new Date() },
})
process.stdout.write('SITE UP\n')
