import { isIPv4, isIPv6 } from 'node:net'
import { normalMac } from '@bloomery/wire/address.ts'

/**
 * pcap-filter(7) for what one machine sends and is sent: its frames, its DHCP wherever a relay carries it (chaddr lies 28 bytes into the
 * message, RFC 2131 §2, behind 8 of UDP), and its address where that is known. Everything in it is checked: it becomes an argument.
 */
export function captureFilter(mac: string, address?: string): string {
  const normal = normalMac(mac)
  const hex = normal.replaceAll(':', '')
  const chaddr = `udp[36:4] = 0x${hex.slice(0, 8)} and udp[40:2] = 0x${hex.slice(8)}`
  const terms = [`ether host ${normal}`, `((udp port 67 or udp port 4011) and ${chaddr})`]
  if (address !== undefined) {
    if (!isIPv4(address) && !isIPv6(address)) throw new Error(`${address} is no IP address`)
    terms.push(`host ${address}`)
  }
  return terms.join(' or ')
}
