import { isIP } from 'node:net'
import { z } from 'zod'

/** Static addresses for the ramdisk, from network data as Nova and Ironic have it (node.network_data), in lines that the ramdisk's init
 * reads:
 *
 *     address MAC ADDRESS/PREFIX
 *     route MAC NETWORK/PREFIX GATEWAY
 *     dns ADDRESS
 */

const address = z.string().refine((text) => isIP(text) !== 0, 'is no IP address')
const route = z.object({ network: address, netmask: z.string().max(64), gateway: address })
const service = z.object({ type: z.string().max(64), address })
const mac = z
  .string()
  .toLowerCase()
  .regex(/^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/, 'is no MAC address')

const networkData = z.object({
  links: z
    .array(z.object({ id: z.string().max(255), type: z.string().max(64), ethernet_mac_address: mac.optional() }))
    .max(64),
  networks: z
    .array(
      z.object({
        id: z.string().max(255).optional(),
        type: z.string().max(64),
        link: z.string().max(255),
        ip_address: z.string().max(64).optional(),
        netmask: z.string().max(64).optional(),
        gateway: address.optional(),
        routes: z.array(route).max(64).default([]),
        services: z.array(service).max(16).default([]),
      }),
    )
    .max(64),
  services: z.array(service).max(16).default([]),
})
type Network = z.infer<typeof networkData>['networks'][number]

/** '' where nothing is static. Throws RangeError with what can't be done. */
export function networkLines(data: Record<string, unknown> | undefined): string {
  if (data === undefined || Object.keys(data).length === 0) return ''
  const parsed = networkData.safeParse(data)
  if (!parsed.success) {
    const [issue] = parsed.error.issues
    throw new RangeError(`network_data/${issue?.path.join('/')}: ${issue?.message}`)
  }
  const { links, networks, services } = parsed.data
  const macOf = (network: Network): string => {
    const link = links.find(({ id }) => id === network.link)
    if (!link) throw new RangeError(`network_data: network ${network.id ?? network.type} names no link that is there`)
    if (['vlan', 'bond', 'bridge'].includes(link.type) || link.ethernet_mac_address === undefined)
      throw new RangeError(
        `network_data: the ramdisk can't use link ${link.id} of type ${link.type}: name the card itself`,
      )
    return link.ethernet_mac_address
  }
  const fixed = networks.filter(({ type }) => type === 'ipv4' || type === 'ipv6')
  const lines = fixed.flatMap((network) => linesOf(network, macOf(network)))
  const servers = [...services, ...fixed.flatMap((network) => network.services)]
  const dns = new Set(servers.filter(({ type }) => type === 'dns').map((each) => `dns ${each.address}`))
  return [...lines, ...dns].map((line) => `${line}\n`).join('')
}

function linesOf(network: Network, card: string): string[] {
  const [own = '', inline] = (network.ip_address ?? '').split('/')
  const version = network.type === 'ipv4' ? 4 : 6
  if (isIP(own) !== version)
    throw new RangeError(`network_data: ${network.ip_address} is no address of ${network.type}`)
  const prefix = inline === undefined ? prefixOf(network.netmask, version) : prefixOf(inline, version)
  const everywhere = version === 4 ? '0.0.0.0/0' : '::/0'
  const routes = network.routes.map((each) => {
    const to = `${each.network}/${prefixOf(each.netmask, isIP(each.network) === 4 ? 4 : 6)}`
    return `route ${card} ${to} ${each.gateway}`
  })
  const gateway = network.gateway === undefined ? [] : [`route ${card} ${everywhere} ${network.gateway}`]
  return [`address ${card} ${own}/${prefix}`, ...gateway, ...routes]
}

/** `24`, `255.255.255.0`, `ffff:ffff::`. */
function prefixOf(mask: string | undefined, version: 4 | 6): number {
  const most = version === 4 ? 32 : 128
  const number = /^\d{1,3}$/.test(mask ?? '') ? Number(mask) : lengthOf(mask ?? '', version)
  if (number === undefined || number > most) throw new RangeError(`network_data: ${mask ?? 'no'} netmask`)
  return number
}

function lengthOf(mask: string, version: 4 | 6): number | undefined {
  if (isIP(mask) !== version) return undefined
  const bits =
    version === 4
      ? mask
          .split('.')
          .map((part) => Number(part).toString(2).padStart(8, '0'))
          .join('')
      : groups(mask)
          .map((part) => part.toString(2).padStart(16, '0'))
          .join('')
  return /^1*0*$/.test(bits) ? bits.replace(/0+$/, '').length : undefined
}

function groups(text: string): number[] {
  const [left = [], right = []] = text.split('::').map((half) => (half === '' ? [] : half.split(':')))
  const middle = Array.from({ length: 8 - left.length - right.length }, () => '0')
  return [...left, ...middle, ...right].map((part) => Number.parseInt(part, 16))
}
