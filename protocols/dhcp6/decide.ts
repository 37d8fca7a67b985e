import { ipv6ToText } from '@bloomery/wire/address6.ts'
import { Writer } from '@bloomery/wire/writer.ts'
import { MessageType, Option, Status } from './codes.ts'
import { encodeOptions, type DhcpOption, type DhcpPacket } from './packet.ts'
import type { DhcpRequest, RequestType } from './request.ts'
import { stableAddress } from './stable-address.ts'

export interface Link {
  /** A /64, 16 bytes; its clients' addresses are ours to give. */
  prefix: Uint8Array
  dns: Uint8Array[]
  leaseSeconds: number
}

/** What the product says about one client. */
export type Answer =
  | { serve: false; because: string }
  | {
      serve: true
      because: string
      /** It is on this link, whatever is configured. */
      link?: Link
      /** Its own; null: it is to have none from here. Else one that is made of who it is. */
      address?: Uint8Array | null
      options?: DhcpOption[]
      bootUrl?: string
      bootParameters?: string[]
      httpClient?: boolean
    }

export interface Situation {
  request: DhcpRequest
  serverId: Uint8Array
  link: Link
  answer: Answer
  /** How many addresses this client has declined. */
  declined: number
}

export interface Facts {
  request: RequestType
  reply: 'advertise' | 'reply' | 'none'
  because: string
  mac?: string
  address?: string
  url?: string
}

export interface Decision {
  facts: Facts
  reply?: DhcpPacket
  /** The client found a stranger at its address. */
  declines?: boolean
}

const ENTERPRISE = 343 // Intel's, as PXE and UEFI firmware writes it

/** RFC 8415 §18.3: one message → the reply and the reason. Nothing here does I/O. */
export function decide(situation: Situation): Decision {
  const { request, answer, serverId } = situation
  const { type } = request
  const forAnother = request.serverId !== undefined && !Buffer.from(request.serverId).equals(serverId)
  if (forAnother) return silent(situation, 'for another server')
  const wrong = malformed(request)
  if (wrong !== undefined) return silent(situation, wrong)
  if (!answer.serve) return silent(situation, answer.because)
  if (type === 'information request') return replied(situation, 'reply', [], answer)
  if (type === 'confirm') return confirmed(situation, answer)
  if (type === 'release') return replied(situation, 'reply', [status(Status.success)], undefined)
  if (type === 'decline') return { ...replied(situation, 'reply', [status(Status.success)], undefined), declines: true }
  const rapid = type === 'solicit' && request.rapidCommit
  const kind = type === 'solicit' && !rapid ? 'advertise' : 'reply'
  const more = rapid ? [{ code: Option.rapidCommit, value: new Uint8Array() }] : []
  return replied(situation, kind, [...request.associations.map((ia) => granted(situation, ia)), ...more], answer)
}

/** RFC 8415 §16: what each message must and must not carry. */
function malformed({ type, clientId, serverId }: DhcpRequest): string | undefined {
  const named = ['request', 'renew', 'release', 'decline'].includes(type)
  if (named && serverId === undefined) return 'it names no server'
  if (!named && type !== 'information request' && serverId !== undefined) return 'it names a server, which it must not'
  if (clientId === undefined && type !== 'information request') return 'it has no client identifier'
  return undefined
}

function granted(situation: Situation, ia: DhcpRequest['associations'][number]): DhcpOption {
  const { request, link } = situation
  const address = addressFor(situation, ia)
  const { leaseSeconds } = link
  const writer = new Writer(64).u32(ia.iaid)
  if (address === undefined) {
    const none = encodeOptions([status(Status.noAddress)])
    return { code: Option.iaNa, value: writer.u32(0).u32(0).bytes(none).finish() }
  }
  writer.u32(Math.floor(leaseSeconds / 2)).u32(Math.floor((leaseSeconds * 4) / 5))
  const options = [iaAddress(address, leaseSeconds, leaseSeconds)]
  // An address that it has from elsewhere or from before is no longer valid: RFC 8415 §18.3.4.
  for (const old of ia.addresses)
    if (request.type !== 'solicit' && !Buffer.from(old).equals(address)) options.push(iaAddress(old, 0, 0))
  return { code: Option.iaNa, value: writer.bytes(encodeOptions(options)).finish() }
}

/** One of its own is its first association's, as Neutron's ports have one address of a subnet for a card. */
function addressFor(
  { request, link, declined, answer }: Situation,
  ia: DhcpRequest['associations'][number],
): Uint8Array | undefined {
  const own = answer.serve ? answer.address : undefined
  if (own === null) return undefined
  if (own) return ia === request.associations[0] ? own : undefined
  return stableAddress(link.prefix, request.clientId ?? new Uint8Array(), ia.iaid, declined)
}

function iaAddress(address: Uint8Array, preferred: number, valid: number): DhcpOption {
  return { code: Option.iaAddress, value: new Writer(24).bytes(address).u32(preferred).u32(valid).finish() }
}

function confirmed(situation: Situation, answer: Answer): Decision {
  const { request, link } = situation
  const addresses = request.associations.flatMap(({ addresses }) => addresses)
  if (addresses.length === 0) return silent(situation, 'it asks to confirm no address') // RFC 8415 §18.3.3
  const onLink = addresses.every((address) => Buffer.from(address.subarray(0, 8)).equals(link.prefix.subarray(0, 8)))
  return replied(situation, 'reply', [status(onLink ? Status.success : Status.notOnLink)], onLink ? answer : undefined)
}

function status(code: number): DhcpOption {
  return { code: Option.statusCode, value: new Writer(2).u16(code).finish() }
}

function replied(
  situation: Situation,
  kind: 'advertise' | 'reply',
  body: DhcpOption[],
  answer: Answer | undefined,
): Decision {
  const { request, serverId, link } = situation
  const options: DhcpOption[] = [{ code: Option.serverId, value: serverId }]
  if (request.clientId !== undefined) options.unshift({ code: Option.clientId, value: request.clientId })
  options.push(...body)
  if (kind === 'advertise') options.push({ code: Option.preference, value: Uint8Array.of(255) })
  if (answer !== undefined) {
    if (link.dns.length > 0) options.push({ code: Option.dnsServers, value: Buffer.concat(link.dns) })
    const own = answer.serve ? (answer.options ?? []) : []
    const said = [...options, ...bootOptions(answer)].filter(({ code }) => !own.some((each) => each.code === code))
    options.splice(0, options.length, ...said, ...own)
  }
  const url = answer?.serve ? answer.bootUrl : undefined
  const given = body.some(({ code }) => code === Option.iaNa) ? firstAddress(situation) : undefined
  return {
    facts: { ...facts(situation, kind, situation.answer.because), address: given, url },
    reply: { type: MessageType[kind], transaction: request.transaction, options },
  }
}

function firstAddress(situation: Situation): string | undefined {
  const { request } = situation
  const [ia] = request.associations
  if (ia === undefined || request.clientId === undefined) return undefined
  const address = addressFor(situation, ia)
  return address && ipv6ToText(address)
}

function bootOptions(answer: Answer): DhcpOption[] {
  if (!answer.serve || answer.bootUrl === undefined) return []
  const options: DhcpOption[] = [{ code: Option.bootFileUrl, value: Buffer.from(answer.bootUrl) }]
  if (answer.bootParameters !== undefined && answer.bootParameters.length > 0) {
    const writer = new Writer(64)
    for (const parameter of answer.bootParameters.map((text) => Buffer.from(text)))
      writer.u16(parameter.length).bytes(parameter)
    options.push({ code: Option.bootFileParameters, value: writer.finish() })
  }
  // UEFI takes a URL for HTTP boot only from a server that says it serves HTTP clients: UEFI 2.10 §24.7.3.1.
  if (answer.httpClient) {
    const name = Buffer.from('HTTPClient')
    options.push({
      code: Option.vendorClass,
      value: new Writer(16).u32(ENTERPRISE).u16(name.length).bytes(name).finish(),
    })
  }
  return options
}

function silent(situation: Situation, because: string): Decision {
  return { facts: facts(situation, 'none', because) }
}

function facts({ request }: Situation, reply: Facts['reply'], because: string): Facts {
  return { request: request.type, reply, because, mac: request.mac }
}
