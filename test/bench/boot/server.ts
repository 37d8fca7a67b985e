import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { startTftpServer } from '@bloomery/tftp/server.ts'
import { bootConfig } from '../../../appliance/boot/config.ts'
import { openLeases } from '../../../appliance/boot/leases.ts'
import type { BootMachine } from '../../../appliance/boot/machine.ts'
import { fileAt } from '../../../appliance/boot/tftp-source.ts'
import { startBootServices } from '../../../appliance/boot/services.ts'
import { openTimeline } from '../../../appliance/boot/timeline.ts'
import { countTransfers } from '../../../appliance/boot/transfers.ts'
import { openLog } from '../../../appliance/log-file.ts'
import { openMetrics } from '../../../appliance/metrics.ts'
import { keepFilling } from './keep-filling.ts'

/** The appliance's boot services as `bloomery appliance run` starts them, and TFTP of large files. usage: server.ts DIR ADDRESS
 * [URL of a store, from which a cache is filled meanwhile] */
const [dir = '', address = '', store] = process.argv.slice(2)
mkdirSync(dir, { recursive: true })
const big = join(dir, 'big')
const config = bootConfig.parse({
  subnets: [{ cidr: '10.77.0.0/16', interfaceAddress: address, range: ['10.77.10.0', '10.77.250.254'] }],
  nextServer: address,
  unknownMachines: 'local',
  dhcp: { probe: false },
  tftp: { port: 1069 },
  http: { port: 8080 },
  files: { x86_64: { kernel: big, initrd: big }, loaders: {} },
})
/** Machines of the rack are known, those of the load are not. */
const RACK = '52:54:00:77:'
const machine: BootMachine = { node: 'bench', generation: 1, macs: [], arch: 'x86_64', mode: 'ramdisk' }
const transfers = countTransfers()
const leases = await openLeases(join(dir, 'leases.journal'), config.subnets)
const services = await startBootServices({
  config,
  directory: {
    byMac: (mac) => (mac.startsWith(RACK) ? { ...machine, macs: [mac] } : undefined),
    bySpentToken: () => undefined,
    byBootToken: (token) => ({ machine, mac: token }),
    bootToken: (_, mac) => mac,
  },
  events: openTimeline(() => new Date()),
  leases,
  log: openLog('info', join(dir, 'log')),
  metrics: openMetrics(),
  clock: { now: () => new Date() },
  notices: { tell: () => {} },
  transfers,
})
if (store !== undefined) void keepFilling(store, dir, transfers)
const FILES = ['file', 'small', 'large']
const tftp = await startTftpServer({
  host: '0.0.0.0',
  port: 69,
  maxPerClient: 64, // all clients of the benchmark have one address
  source: async (name) => (FILES.includes(name) ? fileAt(join(dir, 'tftp', name)) : undefined),
  onOutcome: () => {},
  onError: (error) => console.error(error.message),
})
async function stop(): Promise<void> {
  if (store !== undefined) process.exit(0)
  await tftp.stop()
  await services.stop()
  await leases.close()
}
process.once('SIGTERM', () => void stop())
