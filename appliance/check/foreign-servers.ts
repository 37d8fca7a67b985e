import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { BROADCAST, SERVER_PORT } from '@bloomery/dhcp/codes.ts'
import { decodePacket, encodePacket } from '@bloomery/dhcp/packet.ts'
import { offeredToProbe, probeMessage } from '@bloomery/dhcp/rogue.ts'
import { contains } from '@bloomery/dhcp/subnet.ts'
import { ipv4ToText } from '@bloomery/wire/address.ts'
import { WireError } from '@bloomery/wire/error.ts'
import type { BootConfig } from '../boot/config.ts'

/** Addresses of the DHCP servers that offer us something within `waitMs`. The port of DHCP servers must be free. */
export async function foreignServers(subnets: BootConfig['subnets'], xid: number, waitMs: number): Promise<string[]> {
  const attached = subnets.filter((subnet) => contains(subnet, subnet.serverAddress))
  const own = new Set(attached.map(({ serverAddress }) => serverAddress))
  const found = new Set<string>()
  const socket = createSocket('udp4')
  socket.bind(SERVER_PORT, '0.0.0.0')
  await once(socket, 'listening')
  try {
    socket.setBroadcast(true)
    socket.on('message', (bytes) => {
      try {
        const packet = decodePacket(bytes)
        const offer = packet.op === 2 ? offeredToProbe(packet, xid, own) : undefined
        if (offer !== undefined) found.add(offer.server)
      } catch (error) {
        if (!(error instanceof WireError)) throw error
      }
    })
    for (const subnet of attached)
      socket.send(encodePacket(probeMessage(subnet, xid)), SERVER_PORT, ipv4ToText(BROADCAST), () => {})
    await sleep(waitMs)
    return [...found]
  } finally {
    socket.close()
  }
}
