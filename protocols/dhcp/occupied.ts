import { createSocket } from 'node:dgram'
import { readFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { ipv4ToText } from '@bloomery/wire/address.ts'

const DISCARD = 9 // RFC 863
const NEIGHBOURS = '/proc/net/arp'
const COMPLETE = 0x2 // ATF_COM of linux/if_arp.h

/**
 * Who answers at an address: a MAC where the host is on our own link, else 'a host', or undefined for nobody. RFC 2131 §2.2 wants this
 * asked before an address is given again. One datagram makes the kernel resolve the neighbour by ARP, which no firewall on that
 * host can refuse; a host behind a router shows itself by the ICMP error that the datagram earns. Neither needs a raw socket.
 */
export async function hostAt(address: number, waitMs: number): Promise<string | undefined> {
  const text = ipv4ToText(address)
  const refused = await refusesDatagram(text, waitMs)
  const mac = neighbour(await readFile(NEIGHBOURS, 'utf8').catch(() => ''), text)
  return mac ?? (refused ? 'a host' : undefined)
}

/** The MAC that the kernel found for an address, from the text of /proc/net/arp. */
export function neighbour(table: string, address: string): string | undefined {
  for (const line of table.split('\n').slice(1)) {
    const [ip, , flags = '0', mac] = line.split(/\s+/)
    if (ip === address && (Number(flags) & COMPLETE) !== 0) return mac
  }
  return undefined
}

async function refusesDatagram(address: string, waitMs: number): Promise<boolean> {
  const socket = createSocket('udp4')
  const waiting = new AbortController()
  let refused = false
  socket.on('error', (error: NodeJS.ErrnoException) => {
    refused ||= error.code === 'ECONNREFUSED'
    if (refused) waiting.abort()
  })
  socket.connect(DISCARD, address, (error?: Error) => {
    if (error === undefined) socket.send(Uint8Array.of(0), () => {})
  })
  await sleep(waitMs, undefined, { signal: waiting.signal }).catch(() => {})
  socket.close()
  return refused
}
