import { createHash } from 'node:crypto'
import type { Answer } from '@bloomery/dhcp6/decide.ts'
import type { DhcpRequest } from '@bloomery/dhcp6/request.ts'
import { startDhcp6Server, type Dhcp6Server } from '@bloomery/dhcp6/server.ts'
import type { Log } from '../log.ts'
import type { Metrics } from '../metrics.ts'
import type { Addresses6 } from './addresses6.ts'
import type { BootConfig6 } from './config6.ts'
import { decide, type BootPolicy } from './decide.ts'
import { bootFile } from './dhcp.ts'
import type { Discovery } from './discovery.ts'
import { dropped } from './dropped.ts'
import { startsGrub } from './loaders.ts'
import type { BootDirectory, BootEvents } from './machine.ts'
import { isTenants } from './tenant.ts'
import { tenantLease6 } from './tenant6.ts'
import type { BootUrls } from './urls.ts'
import type { TenantPorts } from '../ledger/tenant-ports.ts'

export interface BootDhcp6Parts {
  config: BootConfig6
  directory: BootDirectory
  tenants?: Pick<TenantPorts, 'byMac'> | undefined
  discovery: Discovery
  policy: BootPolicy
  /** As machines reach us over IPv6. */
  urls: BootUrls
  addresses6: Pick<Addresses6, 'learn'>
  events: BootEvents
  log: Log
  metrics: Metrics
}

/** DHCPv6 for the site: the same decisions as over IPv4, told as URLs (RFC 5970). */
export function startBootDhcp6(parts: BootDhcp6Parts): Promise<Dhcp6Server> {
  const { config, directory, events, log, metrics } = parts
  return startDhcp6Server({
    port: config.ports.dhcp,
    clientPort: config.ports.client,
    serverId: serverId(config.address),
    links: config.links,
    answer: (request) => answerFor(parts, request),
    onDecision(facts) {
      const { request, reply, mac, address = '' } = facts
      metrics.count('bloomery_dhcp6_decisions_total', { request, reply })
      if (mac !== undefined && reply === 'reply' && address !== '') parts.addresses6.learn(address, mac)
      if (mac !== undefined && request === 'solicit') events.seen(mac, 'dhcp discover')
      if (mac !== undefined && reply === 'advertise') events.seen(mac, 'dhcp offer', { address })
      if (mac !== undefined && reply === 'reply' && address !== '') events.seen(mac, 'dhcp ack', { address })
      const url = facts.url?.replace(/\/boot\/[^/]+\//, '/boot/…/') // its token is a secret of this boot
      const node = mac === undefined ? undefined : directory.byMac(mac)?.node
      log.info({ ...facts, url, node }, `DHCPv6 ${request}: ${facts.because}`)
    },
    onError(error) {
      metrics.count('bloomery_dhcp_dropped_total')
      dropped(log, 'DHCPv6', error)
    },
  })
}

export function answerFor(
  parts: Pick<BootDhcp6Parts, 'config' | 'directory' | 'tenants' | 'discovery' | 'policy' | 'urls'>,
  request: DhcpRequest,
): Answer {
  const { mac } = request
  if (mac === undefined) return { serve: false, because: 'nothing says which card asks: let the relay add option 79' }
  const machine = parts.directory.byMac(mac)
  const firmwareAsks = /^(PXE|HTTP)Client/.test(request.vendorClass)
  if (machine?.secureBoot && firmwareAsks)
    // GRUB's script is for who asks from an address of DHCPv4
    return { serve: false, because: 'Secure Boot is served over IPv4, not over IPv6' }
  const asked = {
    vendorClass: request.vendorClass,
    architecture: request.architecture,
    ipxe: request.userClasses.includes('iPXE'),
  }
  const answer = decide(machine, asked, parts.policy)
  const port = isTenants(machine) ? parts.tenants?.byMac(mac) : undefined
  const tenant = port && tenantLease6(port, request)
  if (tenant && (!machine || answer.kind === 'silent' || !firmwareAsks))
    return { serve: true, because: `port of a tenant's network, ${answer.because}`, ...tenant }
  if (answer.kind === 'silent') return { serve: false, because: answer.because }
  if (answer.kind === 'loader' && startsGrub(answer.loader))
    return { serve: false, because: 'GRUB is served over IPv4, not over IPv6: its script is for a lease of DHCPv4' }
  const file = bootFile(parts, machine, mac, answer)
  const overTftp = answer.kind === 'loader' && answer.over === 'tftp'
  const bootUrl = file === undefined || !overTftp ? file : `tftp://[${parts.config.address}]/${file}`
  const httpClient = answer.kind === 'loader' && answer.over === 'http'
  return { serve: true, because: answer.because, bootUrl, httpClient, ...tenant }
}

/** DUID-UUID (RFC 8415 §11.5) of our own address: the same after every restart. */
function serverId(address: string): Uint8Array {
  const uuid = createHash('sha256').update(`bloomery DHCPv6 ${address}`).digest().subarray(0, 16)
  return Buffer.concat([Uint8Array.of(0, 4), uuid])
}
