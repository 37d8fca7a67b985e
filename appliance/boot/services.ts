import { randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import type { LeaseStore } from '@bloomery/dhcp/lease.ts'
import type { Clock } from '../clock.ts'
import type { TenantPorts } from '../ledger/tenant-ports.ts'
import type { Log } from '../log.ts'
import type { BootMedia } from '../media/media.ts'
import type { Metrics } from '../metrics.ts'
import type { Notices } from '../notices.ts'
import { openAddresses6 } from './addresses6.ts'
import type { BootConfig } from './config.ts'
import type { BootPolicy } from './decide.ts'
import { startBootDhcp } from './dhcp.ts'
import { startBootDhcp6 } from './dhcp6.ts'
import { noDiscovery, startDiscovery } from './discovery.ts'
import { openBootFiles, type BootFiles } from './files.ts'
import { bootApp, type BootHttpConfig, startBootHttp } from './http.ts'
import type { BootDirectory, BootEvents } from './machine.ts'
import { startRouterAdvertisements } from './router-advertisements.ts'
import { startBootTftp } from './tftp.ts'
import type { Transfers } from './transfers.ts'
import { bootUrls } from './urls.ts'

export interface BootServicesOptions {
  config: BootConfig
  directory: BootDirectory
  /** Of tenants' networks. */
  tenants?: TenantPorts
  events: BootEvents
  notices: Notices
  leases: LeaseStore
  log: Log
  metrics: Metrics
  clock: Pick<Clock, 'now'>
  /** Media for machines that boot by virtual media. */
  media?: BootMedia
  /** Who installs a machine says who it is with this. */
  installerToken?: (node: string) => string | undefined
  /** The image cache, where instances have what they boot. */
  imageDir?: string
  /** Counts what is sent by HTTP. */
  transfers?: Transfers
}

export interface BootServices {
  httpUrl: string
  /** As bound: what was configured, or what the system chose for 0; `dhcp` is 0 where there is no subnet to serve. */
  ports: { dhcp: number; pxe?: number; tftp: number; http: number }
  stop(): Promise<void>
}

/** Starts in the order in which a machine needs them backwards: nobody is told of a file before it is served. */
export async function startBootServices(options: BootServicesOptions): Promise<BootServices> {
  const { config, directory, events, log, metrics } = options
  const files = await openBootFiles(config.files)
  for (const why of files.refused) log.error({}, why)
  const discovery =
    config.unknownMachines === 'discover'
      ? startDiscovery({ cmdline: config.discoveryCommandLine, secret: randomBytes(32), directory })
      : noDiscovery
  const addresses6 = openAddresses6()
  const started: { stop(): Promise<void> }[] = []
  const stop = async (): Promise<void> => {
    for (const service of started.splice(0).reverse()) await service.stop()
  }
  try {
    const { ipv6 } = config
    const httpConfig = { ...config.http, host: config.http.host ?? (ipv6 === undefined ? undefined : '::') }
    const app = bootApp({ ...options, files, discovery, addresses6 })
    const http = await startBootHttp(httpConfig, app)
    started.push(http)
    const https = config.https && (await startBootHttp({ ...httpConfig, ...(await tlsOf(config.https)) }, app))
    if (https !== undefined) started.push(https)
    const loadersAt = (host: string): string | undefined => https && `https://${host}:${https.port}`
    const httpUrl = `http://${config.nextServer}:${http.port}`
    const tftp = await startBootTftp({ ...options, config: config.tftp, files, discovery, addresses6 })
    started.push(tftp)
    const policy = bootPolicy(config, files)
    if (ipv6 !== undefined) {
      const tftp6 = { ...config.tftp, host: ipv6.address }
      started.push(await startBootTftp({ ...options, config: tftp6, files, discovery, addresses6 }))
      const urls = bootUrls(`http://[${ipv6.address}]:${http.port}`, loadersAt(`[${ipv6.address}]`))
      started.push(
        await startBootDhcp6({
          config: ipv6,
          directory,
          tenants: options.tenants,
          discovery,
          policy,
          urls,
          addresses6,
          events,
          log,
          metrics,
        }),
      )
      if (ipv6.routerAdvertisements && ipv6.links.some((link) => link.interface !== undefined))
        started.push(await startRouterAdvertisements(ipv6.links, log, options.tenants))
    }
    if (config.subnets.length === 0) return { httpUrl, ports: { dhcp: 0, tftp: tftp.port, http: http.port }, stop } // all boot by virtual media
    const dhcp = await startBootDhcp({
      ...options,
      discovery,
      policy,
      urls: bootUrls(httpUrl, loadersAt(config.nextServer)),
    })
    started.push(dhcp)
    return { httpUrl, ports: { dhcp: dhcp.port, pxe: dhcp.pxePort, tftp: tftp.port, http: http.port }, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

async function tlsOf({ port, certificate, key }: NonNullable<BootConfig['https']>): Promise<BootHttpConfig> {
  const read = (path: string, what: string): Promise<string> =>
    readFile(path, 'utf8').catch((cause: unknown) => {
      throw new Error(`HTTPS boot: boot https.${what}, ${path}, is not readable`, { cause })
    })
  return { port, tls: { cert: await read(certificate, 'certificate'), key: await read(key, 'key') } }
}

export function bootPolicy(config: Pick<BootConfig, 'unknownMachines'>, files: BootFiles): BootPolicy {
  return {
    unknownMachines: config.unknownMachines,
    hasLoader: (loader) => files.loaders.has(loader),
    hasRamdisk: (arch) => files.ramdisks[arch] !== undefined,
  }
}
