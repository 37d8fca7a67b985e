import { ipv4ToText } from '@bloomery/wire/address.ts'
import { Option } from './codes.ts'
import type { Answer, Decision } from './decision.ts'
import { BROADCAST_FLAG } from './packet.ts'
import { blank, bootFields, destination, echo, opening } from './reply.ts'
import type { DhcpRequest } from './request.ts'
import { subnetText, type Subnet } from './subnet.ts'

export interface ProxySituation {
  request: DhcpRequest
  subnet: Subnet
  servers: ReadonlySet<number>
  answer: Answer
  /** Which of our ports heard it: the one of all DHCP servers, or the boot servers' own. */
  heardOn: 'dhcp' | 'pxe'
}

/** PXE_DISCOVERY_CONTROL: take the boot file of this offer, ask no boot server (PXE 2.1 §2.2.3, option 43 tag 6, bit 3). */
const USE_THIS_FILE = Uint8Array.of(6, 1, 8, 255)
const BIOS = 0

/**
 * Beside a server that gives the addresses, we add only what to boot (PXE 2.1 §2.2.2, "proxyDHCP"). What is for the other server is
 * no business of ours: undefined. Nothing here touches a lease.
 */
export function decideProxy(situation: ProxySituation): Decision | undefined {
  const { request, subnet, answer, heardOn, servers } = situation
  const addressed = request.serverIdentifier
  const asksUs = heardOn === 'dhcp' ? request.type === 'discover' : ['request', 'inform'].includes(request.type)
  const bootClass = /^(PXE|HTTP)Client/.exec(request.vendorClass)?.[0]
  if (!asksUs || bootClass === undefined || (addressed !== undefined && !servers.has(addressed))) return undefined

  const kind = heardOn === 'dhcp' ? 'offer' : 'ack'
  const boot = answer.serve ? answer.boot : undefined
  const facts = {
    request: request.type,
    mac: request.mac,
    because: answer.because,
    subnet: subnetText(subnet),
    relay: request.packet.giaddr === 0 ? undefined : ipv4ToText(request.packet.giaddr),
    proxy: true,
  }
  if (!answer.serve || boot === undefined) return { facts: { ...facts, reply: 'none' }, changes: [] }

  const options = opening(kind, subnet.serverAddress)
  options.set(Option.vendorClass, Buffer.from(bootClass))
  // UEFI takes an offer without 43 for one of a boot server, and asks that at its own port.
  if (request.architecture === BIOS) options.set(Option.vendorSpecific, USE_THIS_FILE)
  for (const [code, value] of answer.options ?? []) if (code !== Option.ipxe) options.set(code, value)
  const { siaddr, file } = bootFields(boot, options)
  echo(request, options)
  const reply = blank(request.packet)
  // The client has no address that we know of, so an offer is always broadcast.
  const flags = kind === 'offer' ? reply.flags | BROADCAST_FLAG : reply.flags
  const packet = { ...reply, flags, ciaddr: kind === 'ack' ? request.packet.ciaddr : 0, siaddr, file, options }
  return {
    facts: { ...facts, reply: kind, file: boot.file },
    reply: {
      packet,
      destination: heardOn === 'pxe' ? { to: 'source' } : destination(kind, request.packet, subnet),
      limit: request.maxLength,
    },
    changes: [],
  }
}
