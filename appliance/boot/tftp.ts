import { isIPv4 } from 'node:net'
import { ipv4FromText } from '@bloomery/wire/address.ts'
import type { LeaseStore } from '@bloomery/dhcp/lease.ts'
import type { Outcome } from '@bloomery/tftp/sending.ts'
import { startTftpServer, type TftpServer } from '@bloomery/tftp/server.ts'
import type { Log } from '../log.ts'
import type { Metrics } from '../metrics.ts'
import type { Notices } from '../notices.ts'
import type { Addresses6 } from './addresses6.ts'
import { bootUse } from './boot-use.ts'
import type { BootConfig } from './config.ts'
import type { Discovery } from './discovery.ts'
import { dropped } from './dropped.ts'
import type { BootFiles } from './files.ts'
import { bootPath } from './grub.ts'
import { loaderNames } from './loaders.ts'
import type { BootDirectory, BootEvents } from './machine.ts'
import { mtuTo } from './mtu.ts'
import { tftpSource } from './tftp-source.ts'

export interface BootTftpParts {
  config: BootConfig['tftp']
  files: BootFiles
  directory: BootDirectory
  discovery: Discovery
  leases: Pick<LeaseStore, 'byAddress'>
  addresses6?: Pick<Addresses6, 'macAt'>
  notices: Notices
  events: BootEvents
  log: Log
  metrics: Metrics
}

/** TFTP for what boot decides, and for nothing else: no path is ever made of what a client asks. */
export async function startBootTftp(parts: BootTftpParts): Promise<TftpServer> {
  const { config, files, leases, addresses6, events, log, metrics } = parts
  const source = tftpSource({ ...parts, boots: bootUse(parts) })
  const loaders = new Set([...files.loaders.keys()].map((loader): string => loaderNames[loader]))
  const macAt = (address: string): string | undefined =>
    (isIPv4(address) ? leases.byAddress(ipv4FromText(address))?.mac : addresses6?.macAt(address)) || undefined
  const server = await startTftpServer({
    host: config.host ?? '0.0.0.0',
    port: config.port,
    portRange: config.portRange,
    onePort: config.onePort,
    mtuTo,
    async source(name, client) {
      const served = await source(name, macAt(client.address), client.address)
      if (served === undefined) return undefined
      const { mac } = served
      if (mac !== undefined && served.kind === 'script') events.seen(mac, 'script', { over: 'TFTP' })
      return served.file
    },
    onOutcome(outcome) {
      metrics.count('bloomery_tftp_transfers_total', { result: outcome.result })
      metrics.count('bloomery_tftp_bytes_total', {}, outcome.bytes)
      const mac = macAt(outcome.client.address)
      const file = outcome.file.replace(/^\/+/, '')
      const { bytes, size } = outcome
      if (mac !== undefined && size !== undefined && bytes > 0) {
        const part = bootPath(file)?.part
        if (loaders.has(file)) events.seen(mac, 'tftp', { file, bytes, size })
        else if (part !== undefined) events.seen(mac, part, { over: 'TFTP', bytes, size })
      }
      report(log, outcome, mac)
    },
    onError: (error) => dropped(log, 'TFTP', error),
  })
  log.info({ fast: server.fast }, `TFTP by ${server.fast ? 'windows, from threads' : "Node's sockets"}`)
  return server
}

/** Probes and absent files are a firmware's everyday: they are no news. The token of a boot is its secret. */
function report(log: Log, outcome: Outcome, mac: string | undefined): void {
  const file = outcome.file.slice(0, 400).replace(/boot\/[^/]+\//, 'boot/…/')
  const line = { ...outcome, file, client: outcome.client.address, mac }
  const said = JSON.stringify(file.slice(0, 80))
  if (outcome.result === 'complete') log.info(line, `TFTP sent ${said}`)
  else if (outcome.result === 'probed' || outcome.result === 'not found')
    log.debug(line, `TFTP ${said} ${outcome.result}`)
  else log.warn(line, `TFTP ${said} ${outcome.result}: ${outcome.because ?? ''}`)
}
