import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { readdir, readFile, access } from 'node:fs/promises'
import { isIPv6, type AddressInfo } from 'node:net'
import { lookup } from 'node:dns/promises'
import { join } from 'node:path'

export interface NetworkInterface {
  name: string
  mac: string
  carrier: boolean
  /** Has hardware of its own: not a bridge, not one end of a virtual pair. */
  physical: boolean
}

const ethernet = '1' // ARPHRD_ETHER, linux/if_arp.h

/** The Ethernet interfaces that sysfs shows: the physical ones, or all where there are none. */
export async function listInterfaces(sysfs = '/sys'): Promise<NetworkInterface[]> {
  const folder = join(sysfs, 'class/net')
  const names = (await readdir(folder)).sort()
  const all = await Promise.all(names.map((name) => inspect(join(folder, name), name)))
  const found = all.filter((each) => each !== undefined)
  const physical = found.filter((each) => each.physical)
  return physical.length > 0 ? physical : found
}

async function inspect(folder: string, name: string): Promise<NetworkInterface | undefined> {
  const read = (file: string) =>
    readFile(join(folder, file), 'utf8').then(
      (text) => text.trim(),
      () => '',
    )
  const mac = (await read('address')).toLowerCase()
  if ((await read('type')) !== ethernet || mac === '' || mac === '00:00:00:00:00:00') return undefined
  const physical = await access(join(folder, 'device')).then(
    () => true,
    () => false,
  )
  return { name, mac, carrier: (await read('carrier')) === '1', physical }
}

/** The addresses to be known by: the one that the firmware booted from first. */
export function addressesOf(interfaces: readonly NetworkInterface[], bootMac: string | undefined): string[] {
  const macs = interfaces.map(({ mac }) => mac).filter((mac) => mac !== bootMac)
  return [...new Set(bootMac === undefined ? macs : [bootMac, ...macs])]
}

/** The address of ours from which packets to this URL leave. Nothing is sent: connecting UDP only asks the routes. */
export async function addressTowards(url: string): Promise<string> {
  const { hostname } = new URL(url)
  const { address, family } = await lookup(hostname.replace(/^\[|\]$/g, ''))
  const socket = createSocket(family === 6 ? 'udp6' : 'udp4')
  try {
    socket.connect(9, address)
    await once(socket, 'connect')
    return (socket.address() as AddressInfo).address
  } finally {
    socket.close()
  }
}

export function inUrl(address: string): string {
  return isIPv6(address) ? `[${address}]` : address
}
