import { z } from 'zod'
import { ipv4FromText, ipv4ToText, normalMac } from '@bloomery/wire/address.ts'
import { WireError } from '@bloomery/wire/error.ts'
import { contains, inRange, mask } from '@bloomery/dhcp/subnet.ts'
import { bootConfig6 } from './config6.ts'
import { ownOptions, type SiteSubnet } from './site-options.ts'

const MAX_POOL = 65_536
const MAX_OPTION = 512
const CIDR = /^[\d.]+\/\d{1,2}$/
const NO_RANGE = { first: 1, last: 0 }

const ipv4 = z.string().refine(parses(ipv4FromText), 'is not an IPv4 address')
const mac = z.string().refine(parses(normalMac), 'is not a MAC address').transform(normalMac)
/** Bytes of any kind, as `01:52:54` or `text:ge-0/0/1`; inside, lower-case hex. */
const octets = z
  .string()
  .max(600)
  .regex(/^(text:[\x20-\x7e]+|[0-9a-f]{2}(:?[0-9a-f]{2})*)$/i, 'is neither hex nor text:…')
  .transform((value) =>
    value.startsWith('text:') ? Buffer.from(value.slice(5)).toString('hex') : value.replaceAll(':', '').toLowerCase(),
  )
const port = z.number().int().min(0).max(65_535)

const subnet = z
  .strictObject({
    cidr: z.string().regex(CIDR, 'is not like 10.1.0.0/24'),
    /** Ours, as this subnet's clients reach it. A subnet that it lies in is ours; any other is behind a relay. */
    interfaceAddress: ipv4,
    /** Of this host, also a VLAN's, as `eth1.20`: where several have clients on them, each subnet says which is its own. */
    interface: z
      .string()
      .regex(/^[\w.-]{1,15}$/, 'is no name of an interface')
      .optional(),
    /** `proxy`: a DHCP server that is there already gives the addresses, we say what to boot. */
    mode: z.enum(['serve', 'proxy']).default('serve'),
    /** Of `serve`, and only of that. */
    range: z.tuple([ipv4, ipv4]).optional(),
    gateway: ipv4.optional(),
    dns: z.array(ipv4).max(4).default([]),
    leaseSeconds: z.number().int().min(60).max(604_800).default(3_600),
    /** Beyond the gateway, for clients that ask for them (option 121). */
    routes: z
      .array(z.strictObject({ to: z.string().regex(CIDR, 'is not like 10.9.0.0/16'), via: ipv4 }))
      .max(32)
      .default([]),
    /** More options by code, for clients that ask for them: as 43, 114 (ONIE) or 125. */
    options: z.record(z.string().regex(/^\d{1,3}$/, 'is no option of DHCP'), octets).default({}),
  })
  .transform((value, context): SiteSubnet => {
    const parsed: SiteSubnet = {
      ...networkOf(value.cidr),
      serverAddress: ipv4FromText(value.interfaceAddress),
      first: value.range === undefined ? NO_RANGE.first : ipv4FromText(value.range[0]),
      last: value.range === undefined ? NO_RANGE.last : ipv4FromText(value.range[1]),
      router: value.gateway === undefined ? undefined : ipv4FromText(value.gateway),
      dns: value.dns.map(ipv4FromText),
      leaseSeconds: value.leaseSeconds,
      proxy: value.mode === 'proxy',
      device: value.interface,
      routes: value.routes.map(({ to, via }) => ({ ...networkOf(to), via: ipv4FromText(via) })),
      options: new Map(Object.entries(value.options).map(([code, bytes]) => [Number(code), Buffer.from(bytes, 'hex')])),
    }
    const wrong = complaint(parsed)
    if (wrong !== undefined) context.addIssue({ code: 'custom', message: `subnet ${value.cidr}: ${wrong}` })
    return parsed
  })

const path = z.string().min(1)
const loaderPaths = {
  bios: path,
  uefiX64: path,
  uefiArm64: path,
  shimX64: path,
  grubX64: path,
  shimArm64: path,
  grubArm64: path,
}
const ramdisk = z.strictObject({ kernel: path, initrd: path })

export const bootConfig = z.strictObject({
  /** None: no DHCP at all, for sites whose machines boot by virtual media. */
  subnets: z.array(subnet).superRefine(interfacesAgree),
  /** Addresses by MAC, for machines that no plan tells of; best outside the ranges. */
  reservations: z.record(mac, ipv4).default({}),
  /** The same by client identifier (option 61): for machines whose cards change. */
  clientReservations: z.record(octets, ipv4).default({}),
  /** The same by the place: a relay (its giaddr) and the circuit that it names (option 82, sub-option 1). */
  circuitReservations: z
    .array(z.strictObject({ relay: ipv4.transform(ipv4FromText), circuit: octets, address: ipv4 }))
    .max(65_536)
    .default([]),
  /** Where machines find TFTP and HTTP. */
  nextServer: ipv4,
  dhcp: z
    .strictObject({
      host: ipv4,
      port,
      relayPort: port.optional(),
      clientPort: port.optional(),
      pxePort: port.optional(),
      /** Ask whether a host answers at an address before an unknown machine is offered it. */
      probe: z.boolean(),
      /** Relays and switches that may ask who has which address (RFC 4388), by the address that they ask from. */
      leaseQueriers: z.array(ipv4.transform(ipv4FromText)).max(1_024),
    })
    .partial()
    .default({}),
  tftp: z
    .strictObject({
      host: ipv4,
      port,
      /** Of transfers, for firewalls; any where absent. */
      portRange: z.tuple([port, port]),
      /** Or all of them by `port` itself: slower, for firewalls that let nothing else through. */
      onePort: z.boolean(),
    })
    .partial()
    .refine(({ portRange, onePort }) => !(portRange && onePort), 'has both onePort and portRange: choose one')
    .default({}),
  http: z.strictObject({ host: ipv4, port }).partial().default({}),
  /**
   * UEFI HTTP boot then fetches its loader by HTTPS: of an authority that the firmware trusts, for the address that machines are told.
   * What the loader itself fetches stays on HTTP: Debian's iPXE trusts no authority of a site's own.
   */
  https: z
    .strictObject({ port: port.default(8_443), certificate: z.string().min(1), key: z.string().min(1) })
    .optional(),
  ipv6: bootConfig6.optional(),
  unknownMachines: z.enum(['ignore', 'discover', 'local']).default('ignore'),
  /** More for the kernel command line of the ramdisk that unknown machines boot under `discover`, where they are inspected. */
  discoveryCommandLine: z.string().default(''),
  files: z.strictObject({
    x86_64: ramdisk.optional(),
    aarch64: ramdisk.optional(),
    /** Instead of those of Debian's packages ipxe, shim-signed and grub-efi-amd64-signed. */
    loaders: z.strictObject(loaderPaths).partial().default({}),
  }),
})

export type BootConfig = z.output<typeof bootConfig>

/** With sockets bound to interfaces, a subnet of ours without one would never be heard. */
function interfacesAgree(subnets: readonly SiteSubnet[], context: z.RefinementCtx): void {
  if (subnets.every(({ device }) => device === undefined)) return
  for (const { device, network, prefix, serverAddress } of subnets) {
    const text = `${ipv4ToText(network)}/${prefix}`
    const attached = contains({ network, prefix }, serverAddress)
    if (attached && device === undefined)
      context.addIssue({ code: 'custom', message: `subnet ${text}: another names its interface, so it must too` })
    if (!attached && device !== undefined)
      context.addIssue({ code: 'custom', message: `subnet ${text} is behind a relay: it has no interface of ours` })
  }
}

function networkOf(cidr: string): { network: number; prefix: number } {
  const [network = '', prefix = ''] = cidr.split('/')
  return { network: parses(ipv4FromText)(network) ? ipv4FromText(network) : -1, prefix: Number(prefix) }
}

function complaint(subnet: SiteSubnet): string | undefined {
  if (subnet.network < 0 || subnet.prefix > 30) return 'is no network of at least 4 addresses'
  if ((subnet.network & ~mask(subnet.prefix)) !== 0) return 'its address has host bits'
  return rangeComplaint(subnet) ?? routeComplaint(subnet) ?? optionComplaint(subnet)
}

function routeComplaint(subnet: SiteSubnet): string | undefined {
  for (const { network, prefix, via } of subnet.routes) {
    if (network < 0 || prefix > 32) return 'a route is to no network'
    if ((network & ~mask(prefix)) !== 0) return `the route to ${ipv4ToText(network)} has host bits`
    if (!contains(subnet, via)) return `the way ${ipv4ToText(via)} of a route is not in this subnet`
  }
  return undefined
}

function optionComplaint({ options }: SiteSubnet): string | undefined {
  for (const [code, { length }] of options) {
    if (code < 1 || code > 254) return `${code} is no option of DHCP`
    if (ownOptions.has(code)) return `option ${code} is said by the appliance itself`
    if (length > MAX_OPTION) return `option ${code} has more than ${MAX_OPTION} bytes`
  }
  return undefined
}

function rangeComplaint(subnet: SiteSubnet): string | undefined {
  const hasRange = subnet.first !== NO_RANGE.first || subnet.last !== NO_RANGE.last
  if (subnet.proxy) return hasRange ? 'in mode proxy another server has the range: leave it out' : undefined
  if (!hasRange) return 'it needs a range of addresses, or mode proxy beside a server that has one'
  if (subnet.first > subnet.last) return 'its range ends before it starts'
  if (!contains(subnet, subnet.first) || !contains(subnet, subnet.last)) return 'its range is not inside it'
  if (subnet.last - subnet.first >= MAX_POOL) return `its range has more than ${MAX_POOL} addresses`
  if (inRange(subnet, subnet.serverAddress)) return 'interfaceAddress is in its range'
  return undefined
}

function parses(parse: (text: string) => unknown): (text: string) => boolean {
  return (text) => {
    try {
      parse(text)
      return true
    } catch (error) {
      if (error instanceof WireError) return false
      throw error
    }
  }
}
