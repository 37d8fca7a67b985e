import { command } from '../../contract/messages.ts'
import { openLedger } from '../../appliance/ledger/ledger.ts'
import { openTenantPorts } from '../../appliance/ledger/tenant-ports.ts'
import { openMetrics } from '../../appliance/metrics.ts'
import { bootConfig } from '../../appliance/boot/config.ts'
import { startBootServices } from '../../appliance/boot/services.ts'
import { openTimeline } from '../../appliance/boot/timeline.ts'
import { LeaseTable } from '@bloomery/dhcp/lease-table.ts'

/** The boot services of a site as a program of its own, for clients in other network namespaces. Commands from the cloud come as lines of
 * stdin, into a ledger that outlives it. usage: LEDGER CONFIG */
const [path = '', text = ''] = process.argv.slice(2)
const config = bootConfig.parse(JSON.parse(text))
const print = (facts: Record<string, unknown>, message: string): void =>
  void process.stdout.write(`${JSON.stringify({ ...facts, message })}\n`)
const log = { debug: print, info: print, warn: print, error: print }
const ledger = openLedger(path)
const tenants = openTenantPorts(ledger, log)
const services = await startBootServices({
  config,
  tenants,
  directory: {
    byMac: () => undefined,
    byBootToken: () => undefined,
    bySpentToken: () => undefined,
    bootToken: () => 'token',
    unlock: () => new Map(),
  },
  notices: { tell: () => {} },
  events: openTimeline(() => new Date()),
  leases: new LeaseTable(config.subnets),
  log,
  metrics: openMetrics(),
  clock: { now: () => new Date() },
})
let rest = ''
process.stdin.setEncoding('utf8').on('data', (data: string) => {
  const lines = (rest + data).split('\n')
  rest = lines.pop() ?? ''
  for (const line of lines) {
    const given = command.parse(JSON.parse(line))
    if (given.kind === 'tenant_port') tenants.accept(given)
  }
})
process.stdout.write('{"up":"yes"}\n')
process.once('SIGTERM', () => void services.stop().then(() => process.exit(0)))
