import { isIPv4 } from 'node:net'
import { ipv4FromText } from '@bloomery/wire/address.ts'
import type { LeaseStore } from '@bloomery/dhcp/lease.ts'
import type { Outcome } from '@bloomery/tftp/sending.ts'
import { startTftpServer, type TftpServer } from '@bloomery/tftp/server.ts'
import { fileOf } from '@bloomery/tftp/source.ts'
import type { Log } from '../log.ts'
import type { Metrics } from '../metrics.ts'
import type { BootConfig } from './config.ts'
import { dropped } from './dropped.ts'
import type { BootFiles } from './files.ts'
import { loaderNames } from './loaders.ts'
import type { BootEvents } from './machine.ts'

export interface BootTftpParts {
  config: BootConfig['tftp']
  files: BootFiles
  leases: Pick<LeaseStore, 'byAddress'>
  events: BootEvents
  log: Log
  metrics: Metrics
}

/** TFTP for the loaders that DHCP names, and for nothing else: no path is ever made of what a client asks. */
export function startBootTftp({ config, files, leases, events, log, metrics }: BootTftpParts): Promise<TftpServer> {
  const byName = new Map([...files.loaders].map(([loader, bytes]) => [loaderNames[loader] as string, bytes]))
  const asked = (name: string): string => name.replace(/^\/+/, '')
  return startTftpServer({
    host: config.host ?? '0.0.0.0',
    port: config.port,
    portRange: config.portRange,
    source: (name) => {
      const bytes = byName.get(asked(name))
      return Promise.resolve(bytes && fileOf(bytes))
    },
    onOutcome(outcome) {
      const { address } = outcome.client
      const mac = isIPv4(address) ? leases.byAddress(ipv4FromText(address))?.mac : undefined
      const size = byName.get(asked(outcome.file))?.length
      if (mac && size !== undefined && outcome.bytes > 0)
        events.seen(mac, 'tftp', { file: asked(outcome.file), bytes: outcome.bytes, size })
      metrics.count('bloomery_tftp_transfers_total', { result: outcome.result })
      metrics.count('bloomery_tftp_bytes_total', {}, outcome.bytes)
      report(log, outcome, mac)
    },
    onError: (error) => dropped(log, 'TFTP', error),
  })
}

/** Probes and absent files are a firmware's everyday: they are no news. */
function report(log: Log, outcome: Outcome, mac: string | undefined): void {
  const { client, ...facts } = outcome
  const line = { ...facts, client: client.address, mac }
  const file = JSON.stringify(outcome.file.slice(0, 80))
  if (outcome.result === 'complete') log.info(line, `TFTP sent ${file}`)
  else if (outcome.result === 'probed' || outcome.result === 'not found')
    log.debug(line, `TFTP ${file} ${outcome.result}`)
  else log.warn(line, `TFTP ${file} ${outcome.result}: ${outcome.because ?? ''}`)
}
