import { isIPv4, isIPv6 } from 'node:net'
import { normalMac } from '@bloomery/wire/address.ts'

/**
 * pcap-filter(7) for what one machine sends and is sent: frames of its cards, its DHCP wherever a relay carries it (chaddr lies 28 bytes
 * into the message, RFC 2131 §2, behind 8 of UDP), and its addresses where they are known. Everything in it is checked: it becomes an
 * argument.
 */
export function captureFilter(macs: readonly string[], addresses: readonly string[] = []): string {
  const cards = macs.map(normalMac)
  if (cards.length === 0) throw new Error('a capture is of at least one card')
  const carried = cards.map((mac) => {
    const hex = mac.replaceAll(':', '')
    return `(udp[36:4] = 0x${hex.slice(0, 8)} and udp[40:2] = 0x${hex.slice(8)})`
  })
  for (const address of addresses)
    if (!isIPv4(address) && !isIPv6(address)) throw new Error(`${address} is no IP address`)
  return [
    ...cards.map((mac) => `ether host ${mac}`),
    `((udp port 67 or udp port 4011) and (${carried.join(' or ')}))`,
    ...addresses.map((address) => `host ${address}`),
  ].join(' or ')
}
