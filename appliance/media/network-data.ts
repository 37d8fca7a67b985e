import { isIP } from 'node:net'
import { z } from 'zod'
import { link, openLinks } from './network-links.ts'

/** Static addresses for the ramdisk, from network data as Nova and Ironic have it (node.network_data), in lines that the ramdisk's init
 * reads:
 *
 *     bond NAME MODE MIIMON MAC...
 *     vlan NAME ID DEVICE
 *     address DEVICE ADDRESS/PREFIX
 *     route DEVICE NETWORK/PREFIX GATEWAY
 *     dns ADDRESS
 *
 * A device is a card's MAC address, or the name of a bond or VLAN of a line before.
 */

const address = z.string().refine((text) => isIP(text) !== 0, 'is no IP address')
const route = z.object({ network: address, netmask: z.string().max(64), gateway: address })
const service = z.object({ type: z.string().max(64), address })
const networkData = z.object({
  links: z.array(link).max(64),
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
  const devices = openLinks(links)
  const fixed = networks.filter(({ type }) => type === 'ipv4' || type === 'ipv6')
  const lines = fixed.flatMap((network) => linesOf(network, devices.deviceOf(network.link, network.id ?? network.type)))
  const servers = [...services, ...fixed.flatMap((network) => network.services)]
  const dns = new Set(servers.filter(({ type }) => type === 'dns').map((each) => `dns ${each.address}`))
  return [...devices.lines(), ...lines, ...dns].map((line) => `${line}\n`).join('')
}

function linesOf(network: Network, device: string): string[] {
  const [own = '', inline] = (network.ip_address ?? '').split('/')
  const version = network.type === 'ipv4' ? 4 : 6
  if (isIP(own) !== version)
    throw new RangeError(`network_data: ${network.ip_address} is no address of ${network.type}`)
  const prefix = inline === undefined ? prefixOf(network.netmask, version) : prefixOf(inline, version)
  const everywhere = version === 4 ? '0.0.0.0/0' : '::/0'
  const routes = network.routes.map((each) => {
    const to = `${each.network}/${prefixOf(each.netmask, isIP(each.network) === 4 ? 4 : 6)}`
    return `route ${device} ${to} ${each.gateway}`
  })
  const gateway = network.gateway === undefined ? [] : [`route ${device} ${everywhere} ${network.gateway}`]
  return [`address ${device} ${own}/${prefix}`, ...gateway, ...routes]
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
