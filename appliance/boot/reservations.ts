import type { DhcpRequest } from '@bloomery/dhcp/request.ts'
import { ipv4FromText } from '@bloomery/wire/address.ts'
import type { BootConfig } from './config.ts'

/** Which addresses are kept for whom. A plan's own choice for a machine comes before these. */
export interface Reservations {
  addressFor(request: DhcpRequest): { address: number; takesOver: boolean } | undefined
  /** Who an address is kept for, in words. */
  owner(address: number): string | undefined
}

/** The more exactly a reservation names the machine, the earlier it counts: its MAC, its own name, the port that it hangs on. */
export function openReservations(
  config: Pick<BootConfig, 'reservations' | 'clientReservations' | 'circuitReservations'>,
): Reservations {
  const byMac = addresses(config.reservations)
  const byClient = addresses(config.clientReservations)
  const byCircuit = new Map(
    config.circuitReservations.map(({ relay, circuit, address }) => [`${relay} ${circuit}`, ipv4FromText(address)]),
  )
  const owners = new Map<number, string>()
  for (const [circuit, address] of byCircuit) owners.set(address, `circuit ${circuit}`)
  for (const [client, address] of byClient) owners.set(address, `client ${client}`)
  for (const [mac, address] of byMac) owners.set(address, mac)
  return {
    addressFor({ mac, clientIdentifier = '', relay, packet }) {
      const own = byMac.get(mac)
      if (own !== undefined) return { address: own, takesOver: false }
      const { circuit } = relay
      const port = circuit === undefined ? undefined : byCircuit.get(`${packet.giaddr} ${circuit}`)
      const place = byClient.get(clientIdentifier) ?? port
      return place === undefined ? undefined : { address: place, takesOver: true }
    },
    owner: (address) => owners.get(address),
  }
}

function addresses(named: Record<string, string>): Map<string, number> {
  return new Map(Object.entries(named).map(([name, address]) => [name, ipv4FromText(address)]))
}
