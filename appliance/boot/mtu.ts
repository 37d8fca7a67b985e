import { readFileSync } from 'node:fs'
import { isIPv6 } from 'node:net'
import { ipv4FromText } from '@bloomery/wire/address.ts'
import { ipv6ToBytes } from '@bloomery/wire/address6.ts'

const ETHERNET = 1_500

/** The MTU of the way to a client, as the kernel's routes tell it: of the route itself where it has one, else of its interface. */
export function mtuTo(address: string, read = (path: string): string => readFileSync(path, 'utf8')): number {
  try {
    const six = isIPv6(address)
    const route = six
      ? wayTo6(read('/proc/net/ipv6_route'), address)
      : wayTo4(read('/proc/net/route'), ipv4FromText(address))
    if (route === undefined) return ETHERNET
    return route.mtu || Number(read(`/sys/class/net/${route.device}/mtu`)) || ETHERNET
  } catch {
    return ETHERNET // no Linux, or an interface that has just gone
  }
}

interface Way {
  device: string
  /** 0 where only the interface has one. */
  mtu: number
  prefix: number
}

/** Iface Destination Gateway Flags RefCnt Use Metric Mask MTU …; addresses as a little-endian machine's words. */
function wayTo4(table: string, address: number): Way | undefined {
  const ways = table
    .split('\n')
    .slice(1)
    .map((line): Way | undefined => {
      const [device = '', to = '', , , , , , mask = '', mtu = '0'] = line.trim().split(/\s+/)
      const [network, bits] = [word(to), word(mask)]
      if (device === '' || (address & bits) >>> 0 !== network) return undefined
      return { device, mtu: Number(mtu), prefix: bits }
    })
  return longest(ways)
}

/** Destination, its prefix in hex, seven more columns, and the device. */
function wayTo6(table: string, address: string): Way | undefined {
  const bits = bitsOf(Buffer.from(ipv6ToBytes(address)).toString('hex'))
  const ways = table.split('\n').map((line): Way | undefined => {
    const columns = line.trim().split(/\s+/)
    const [to = '', length = ''] = columns
    const device = columns[9] ?? ''
    const prefix = Number.parseInt(length, 16)
    if (device === '' || !bits.startsWith(bitsOf(to).slice(0, prefix))) return undefined
    return { device, mtu: 0, prefix }
  })
  return longest(ways)
}

function longest(ways: readonly (Way | undefined)[]): Way | undefined {
  return ways.reduce((best, way) =>
    way !== undefined && (best === undefined || way.prefix > best.prefix) ? way : best,
  )
}

function word(hex: string): number {
  return /^[0-9A-F]{8}$/i.test(hex) ? Buffer.from(hex, 'hex').readUInt32LE() : Number.NaN
}

function bitsOf(hex: string): string {
  return Array.from(Buffer.from(hex, 'hex'), (byte) => byte.toString(2).padStart(8, '0')).join('')
}
