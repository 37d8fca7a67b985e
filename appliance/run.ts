import { randomBytes, randomUUID } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import type { Server } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { join } from 'node:path'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import { getRequestListener } from '@hono/node-server'
import { ipv4ToText } from '@bloomery/wire/address.ts'
import { httpsAgentClient } from './agents/client.ts'
import { openLeases } from './boot/leases.ts'
import { BOOT_HTTP_PORT } from './boot/http.ts'
import { startBootServices } from './boot/services.ts'
import { openTimeline } from './boot/timeline.ts'
import { countTransfers } from './boot/transfers.ts'
import { capture } from './capture/capture.ts'
import { captureInterface } from './capture/interface.ts'
import { selfSigned } from './certificates.ts'
import { openBmcAuthority } from './bmc-authority.ts'
import type { Clock } from './clock.ts'
import type { ApplianceConfig } from './config.ts'
import { openDrivers } from './drivers/table.ts'
import { openHealthGauges } from './health/gauges.ts'
import { readIdentity } from './identity.ts'
import { openLedger } from './ledger/ledger.ts'
import type { Log } from './log.ts'
import { imagesListener } from './images/listener.ts'
import { startMetricsServer } from './metrics-server.ts'
import { openBootMedia } from './media/media.ts'
import { openMetrics } from './metrics.ts'
import { openProcessors } from './processors.ts'
import { ramdiskCommandLine, type RamdiskSettings } from './ramdisk-command-line.ts'
import { startSite } from './site.ts'
import { openVswitch } from './switches/open-vswitch.ts'
import { openSwitches } from './switches/switch.ts'
import { openCredentials } from './uplink/credentials.ts'
import { connectMqtt } from './uplink/mqtt.ts'
import { volumeOptions } from './volumes/options.ts'

export const SOFTWARE = '0.1.0'

const MAX_CONNECTIONS = 1024
/** An agent whose disk is busy takes no bytes for a while. */
const IDLE_MS = 300_000

export interface RunningAppliance {
  uuid: string
  stop(): Promise<void>
}

/** The whole appliance on real sockets, in the order in which the parts need each other; stops in the opposite one. */
export async function runAppliance(config: ApplianceConfig, clock: Clock, log: Log): Promise<RunningAppliance> {
  const stops: (() => Promise<void> | void)[] = []
  const stop = async (): Promise<void> => {
    for (const each of stops.splice(0).reverse()) await each()
  }
  try {
    mkdirSync(config.data_dir, { recursive: true, mode: 0o700 })
    const path = join(config.data_dir, 'identity.json')
    const identity = readIdentity(path)
    // A standalone cloud signs its own blob store; images elsewhere are signed by public authorities.
    const { authorities } = identity.next ?? identity
    setDefaultCACertificates([...getCACertificates('default'), identity.authorities, authorities])
    const credentials = openCredentials({ path, identity, clock, log })
    // Commands and reports are numbered per identity: one that enrolled anew begins with an empty ledger.
    const ledger = openLedger(join(config.data_dir, `ledger-${identity.uuid}.sqlite`))
    stops.push(() => ledger.close())
    const leases = await openLeases(join(config.data_dir, 'leases.journal'), config.boot.subnets)
    stops.push(() => leases.close())
    const metrics = openMetrics()
    metrics.gauge('bloomery_dhcp_leases', () => leases.size)
    if (config.metrics_port !== undefined) stops.push((await startMetricsServer(metrics, config.metrics_port)).stop)
    const { drivers, close } = openDrivers({ ipmiIdleMs: config.power.ipmi_session_idle * 1000 })
    stops.push(close)

    const address = config.boot.nextServer
    const volumes = config.volumes && (await volumeOptions(config.volumes, config.data_dir, address, log))
    if (volumes) stops.push(() => volumes.targets.stop())
    const timeline = openTimeline(() => clock.now())
    const transfers = countTransfers()
    const processors = openProcessors(() => performance.now())
    const media = openBootMedia({
      files: config.boot.files,
      base: `http://${inUrl(config.media_address ?? address)}:${config.boot.http.port ?? BOOT_HTTP_PORT}`,
      agentToken: (node) => site.agentToken(node),
    })
    const ramdisk = {
      doorUrl: `https://${address}:${config.door_port}`,
      kernelArguments: config.kernel_arguments,
    }
    const site = startSite({
      ...ramdisk,
      identity,
      ledger,
      link: connectMqtt(identity, credentials, Math.random, log),
      credentials,
      clock,
      log,
      random: Math.random,
      uuid: randomUUID,
      token: () => randomBytes(32).toString('base64url'),
      drivers,
      power: config.power,
      authority: config.bmc_authority && openBmcAuthority(config.bmc_authority, clock),
      fake: config.fake,
      agentClient: httpsAgentClient(),
      imageDir: join(config.data_dir, 'images'),
      chunkDir: join(config.data_dir, 'chunks'),
      imageKeys: config.image_keys,
      imageSources: config.image_sources,
      // Agents give each other chunks by plain HTTP.
      imagePeers: config.image_tls ? false : config.image_peers,
      imageBytes: (bytes) => metrics.count('bloomery_image_wan_bytes_total', {}, bytes),
      imageQuota: Math.round(config.image_cache_gib * 2 ** 30),
      get: fetch,
      pullsMustYield: () => transfers.underWay > 0 && processors.areBusy(),
      consoles: { dir: join(config.data_dir, 'consoles'), attend: config.consoles.during_operations },
      deployLogs: { dir: join(config.data_dir, 'deploy-logs'), ...config.deploy_logs },
      captureDir: join(config.data_dir, 'captures'),
      capture: (order) => {
        const addresses = order.macs.flatMap((mac) => leases.byMac(mac).map(({ address }) => ipv4ToText(address)))
        return capture({ ...order, interface: captureInterface(config.boot, order.interface), addresses })
      },
      media,
      discovers: config.boot.unknownMachines === 'discover',
      imageUrl: `${config.image_tls ? 'https' : 'http'}://${address}:${config.image_port}`,
      events: timeline,
      lastSeen: (macs, since) => timeline.lastSeen(macs, since),
      marks: (macs, since) => timeline.marks(macs, since),
      software: SOFTWARE,
      health: {
        intervalMs: config.health.interval_seconds * 1000,
        gauges: openHealthGauges(metrics, { sensors: config.health.sensors_per_node, series: config.health.sensors }),
      },
      volumes,
      switches: openSwitches(config.switches, openVswitch, identity),
      crashPoint: () => {},
    })
    stops.push(() => site.stop())
    const pem = await selfSigned(address, clock.now())
    const door = getRequestListener((request) => site.door.fetch(request))
    stops.push(
      await listen(
        createTlsServer({ cert: pem.certificate, key: pem.privateKey }, (request, reply) => void door(request, reply)),
        'door_port',
        config.door_port,
        address,
      ),
      await listen(
        imagesListener(site.images, config.image_tls ? pem : undefined),
        'image_port',
        config.image_port,
        address,
      ),
    )
    const boot = await startBootServices({
      config: { ...config.boot, discoveryCommandLine: discoveryCommandLine(ramdisk, config.boot) },
      directory: site.machines,
      tenants: site.tenants,
      events: site.events,
      notices: site.notices,
      leases,
      log,
      metrics,
      clock,
      media,
      installerToken: site.installerToken,
      imageDir: join(config.data_dir, 'images'),
      transfers,
    })
    stops.push(() => boot.stop())
    log.info({ appliance: identity.uuid, site: identity.site, door: address, boot: boot.httpUrl }, 'appliance is up')
    return { uuid: identity.uuid, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

/** As an inspection, and what the site adds for machines that it doesn't know. */
function discoveryCommandLine(
  ramdisk: RamdiskSettings,
  { discoveryCommandLine: more }: ApplianceConfig['boot'],
): string {
  return `${ramdiskCommandLine(ramdisk, 'inspect')} ${more}`.trim()
}

/** Resolves to what stops it. A port in use is said with its number. */
async function listen(
  server: Server,
  setting: 'door_port' | 'image_port',
  port: number,
  host: string,
): Promise<() => void> {
  server.maxConnections = MAX_CONNECTIONS
  server.setTimeout(IDLE_MS)
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause) =>
      reject(new Error(`can't listen on ${host}:${port}, as boot.nextServer and ${setting} say`, { cause })),
    )
    server.listen(port, host, resolve)
  })
  return () => {
    server.close()
    server.closeAllConnections()
  }
}

function inUrl(address: string): string {
  return address.includes(':') ? `[${address}]` : address
}
