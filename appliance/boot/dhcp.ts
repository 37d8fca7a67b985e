import { randomInt } from 'node:crypto'
import { ipv4FromText } from '@bloomery/wire/address.ts'
import { Option } from '@bloomery/dhcp/codes.ts'
import type { Answer, Facts } from '@bloomery/dhcp/decision.ts'
import { hostAt } from '@bloomery/dhcp/occupied.ts'
import type { LeaseStore } from '@bloomery/dhcp/lease.ts'
import type { DhcpRequest } from '@bloomery/dhcp/request.ts'
import { contains, subnetFor } from '@bloomery/dhcp/subnet.ts'
import { startDhcpServer, type DhcpServer } from '@bloomery/dhcp/server.ts'
import type { Metrics } from '../metrics.ts'
import type { Clock } from '../clock.ts'
import type { Log } from '../log.ts'
import type { Notices } from '../notices.ts'
import type { BootConfig } from './config.ts'
import { decide, type BootAnswer, type BootPolicy, type BootRequest } from './decide.ts'
import type { Discovery } from './discovery.ts'
import { dropped } from './dropped.ts'
import { loaderNames, startsGrub } from './loaders.ts'
import type { BootDirectory, BootEvents, BootMachine } from './machine.ts'
import { foreignServers } from './foreign-servers.ts'
import { lateStarts, type LateStarts } from './late-starts.ts'
import { openReservations, type Reservations } from './reservations.ts'
import { siteOptions } from './site-options.ts'
import { isTenants, tenantLease } from './tenant.ts'
import type { BootUrls } from './urls.ts'
import type { TenantPorts } from '../ledger/tenant-ports.ts'

export interface BootDhcpParts {
  config: BootConfig
  directory: BootDirectory
  tenants?: Pick<TenantPorts, 'byMac'> | undefined
  discovery: Discovery
  policy: BootPolicy
  urls: BootUrls
  leases: LeaseStore
  events: BootEvents
  log: Log
  metrics: Metrics
  notices: Notices
  clock: Pick<Clock, 'now'>
}

// iPXE's encapsulated option 176, no-pxedhcp: this answer is all there is, don't wait for a proxy's.
const NO_PROXY = Uint8Array.of(176, 1, 1)

/** Firmware asks again after 4 s (RFC 2131 §4.1); a neighbour that is there answers ARP within milliseconds. */
const PROBE_MS = 400
const LOOK_AGAIN_MS = 600_000

/** DHCP for the site: addresses from its subnets and reservations, boot files from `decide`. */
export async function startBootDhcp(parts: BootDhcpParts): Promise<DhcpServer> {
  const { config, directory, events, log, metrics } = parts
  const reservations = openReservations(config)
  const late = lateStarts(parts)
  const decided = decisionCounter(metrics)
  const deciding = { ...parts, reservations }
  const server = await startDhcpServer({
    host: config.dhcp.host ?? '0.0.0.0',
    ...config.dhcp,
    leaseQueriers: new Set(config.dhcp.leaseQueriers),
    subnets: config.subnets,
    leases: parts.leases,
    now: () => parts.clock.now().getTime(),
    reservedFor: (address) => reservations.owner(address),
    answer(request) {
      late.heard(request, bootRequest(request).ipxe)
      return answerFor(deciding, directory.byMac(request.mac), request)
    },
    hostAt: (address) => hostAt(address, PROBE_MS),
    onForeignServer: foreignServers(parts),
    onDecision(facts, milliseconds) {
      tell(events, facts, late)
      decided(facts)
      if (facts.reply !== 'none' && milliseconds !== undefined)
        metrics.observe('bloomery_dhcp_answer_seconds', milliseconds / 1000)
      const file = facts.file?.replace(/\/boot\/[^/]+\//, '/boot/…/') // its token is a secret of this boot
      const { request, reply, mac, because, address, subnet, relay, proxy } = facts
      const node = directory.byMac(mac)?.node
      const told = { request, reply, mac, because, address, subnet, relay, file, proxy, node }
      log.info(told, `DHCP ${request}: ${because}`)
    },
    onError(error) {
      metrics.count('bloomery_dhcp_dropped_total')
      dropped(log, 'DHCP', error)
    },
  })
  log.info({ batches: server.batches }, `DHCP by ${server.batches ? 'batches of datagrams' : "Node's sockets"}`)
  return watched(server)
}

/** Looks for other servers at once and from then on, until the server stops. */
function watched(server: DhcpServer): DhcpServer {
  const look = (): void => server.probeForServers(randomInt(2 ** 32))
  look()
  const again = setInterval(look, LOOK_AGAIN_MS)
  return {
    ...server,
    stop() {
      clearInterval(again)
      return server.stop()
    },
  }
}

export function answerFor(
  parts: BootDhcpParts & { reservations: Reservations },
  machine: BootMachine | undefined,
  request: DhcpRequest,
): Answer {
  const answer = decide(machine, bootRequest(request), parts.policy)
  const tenant = isTenants(machine) ? forTenant(parts, machine, request, answer) : undefined
  if (tenant) return tenant
  if (answer.kind === 'silent') return { serve: false, because: answer.because }
  if (answer.kind === 'loader' && startsGrub(answer.loader) && isProxied(parts.config.subnets, request))
    return {
      serve: false,
      because: 'GRUB asks only the server of its address for its script: beside another DHCP server it is not offered',
    }
  const reserved = plannedAddress(parts.config, machine, request.mac) ?? parts.reservations.addressFor(request)
  const file = bootFile(parts, machine, request.mac, answer)
  const server = file === undefined ? undefined : ipv4FromText(parts.config.nextServer)
  const subnet = subnetFor(parts.config.subnets, request, reserved?.address)
  const options = siteOptions(subnet, request.packet.options.get(Option.parameterRequestList), server)
  addBootOptions(options, answer)
  return {
    serve: true,
    because: answer.because,
    ...reserved,
    probe: machine === undefined && reserved === undefined && (parts.config.dhcp.probe ?? true),
    hostname: machine?.hostname,
    options,
    boot: file === undefined || server === undefined ? undefined : { server, file },
  }
}

/** What the plan says that a card's ramdisk has, where that is an address of the site's. */
function plannedAddress(
  { subnets }: Pick<BootConfig, 'subnets'>,
  machine: BootMachine | undefined,
  mac: string,
): { address: number } | undefined {
  const planned = machine?.addresses?.[mac]
  const address = planned === undefined ? undefined : ipv4FromText(planned)
  return address !== undefined && subnets.some((each) => contains(each, address)) ? { address } : undefined
}

function addBootOptions(options: Map<number, Uint8Array>, answer: BootAnswer): void {
  // UEFI takes a URL only from a server that says it is for HTTP clients: UEFI 2.10 §24.7.3.1.
  if (answer.kind === 'loader' && answer.over === 'http') options.set(Option.vendorClass, Buffer.from('HTTPClient'))
  if (answer.kind === 'script') options.set(Option.ipxe, NO_PROXY)
}

/** A card that has a port of a tenant's network gets what the port says; what it boots is decided as ever. */
function forTenant(
  parts: BootDhcpParts,
  machine: BootMachine | undefined,
  request: DhcpRequest,
  answer: BootAnswer,
): Answer | undefined {
  const port = parts.tenants?.byMac(request.mac)
  const attached = parts.config.subnets.find((subnet) => contains(subnet, subnet.serverAddress))
  const server = ipv4FromText(parts.config.nextServer)
  const lease = port && tenantLease(port, request, attached?.serverAddress ?? server)
  if (lease === undefined) return undefined
  if (typeof lease === 'string') return { serve: false, because: lease }
  const file = machine === undefined ? undefined : bootFile(parts, machine, request.mac, answer)
  if (file !== undefined) addBootOptions(lease.options, answer)
  const because = `port of a tenant's network, ${answer.because}`
  return { serve: true, because, takesOver: true, ...lease, boot: file === undefined ? undefined : { server, file } }
}

/** Whether another server gives this client's address. */
function isProxied(subnets: BootConfig['subnets'], { packet: { giaddr }, relay: { link } }: DhcpRequest): boolean {
  const from = link ?? giaddr
  const where = subnets.filter((subnet) => contains(subnet, from === 0 ? subnet.serverAddress : from))
  return where.length > 0 && where.every(({ proxy }) => proxy)
}

export function bootRequest(request: DhcpRequest): BootRequest {
  return {
    vendorClass: request.vendorClass,
    architecture: request.architecture,
    ipxe: request.ipxeOptions || request.userClasses.includes('iPXE'),
  }
}

export function bootFile(
  parts: Pick<BootDhcpParts, 'urls' | 'directory' | 'discovery'>,
  machine: BootMachine | undefined,
  mac: string,
  answer: BootAnswer,
): string | undefined {
  if (answer.kind === 'loader')
    return answer.over === 'tftp' ? loaderNames[answer.loader] : parts.urls.loader(answer.loader)
  if (answer.kind === 'configuration') return '' // its name is the client's to know
  if (answer.kind !== 'script') return undefined
  if (answer.script === 'local') return parts.urls.localScript()
  const token =
    machine === undefined ? parts.discovery.token(mac, answer.arch) : parts.directory.bootToken(machine, mac)
  return parts.urls.script(token)
}

/** By request, reply and whether as a proxy. */
function decisionCounter(metrics: Metrics): (facts: Facts) => void {
  const counters = new Map<string, () => void>()
  const opened = (kind: string, labels: Record<string, string>): (() => void) => {
    const counter = metrics.counter('bloomery_dhcp_decisions_total', labels)
    counters.set(kind, counter)
    return counter
  }
  return ({ request, reply, proxy = false }) => {
    const kind = `${request} ${reply} ${proxy}`
    const count = counters.get(kind) ?? opened(kind, { request, reply, proxy: String(proxy) })
    count()
  }
}

function tell(events: BootEvents, { mac, request, reply, address = '' }: Facts, lateStarts: LateStarts): void {
  if (request === 'discover') {
    const late = lateStarts.secondsOf(mac)
    events.seen(mac, 'dhcp discover', late === undefined ? undefined : { late })
  }
  if (request === 'request') events.seen(mac, 'dhcp request')
  if (reply === 'offer') events.seen(mac, 'dhcp offer', { address })
  if (reply === 'ack') events.seen(mac, 'dhcp ack', { address })
}
