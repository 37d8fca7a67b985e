import { BlockList, isIP } from 'node:net'
import type { Port } from '../../../contract/resources.ts'
import { bootedCard, type Card } from '../found.ts'
import { linkOf, neighbourOf } from '../lldp.ts'
import type { Finding, Hook, PortOfCard, PortsDraft } from './hook.ts'

export const validateInterfaces: Hook = {
  refuses: ({ found }) =>
    found.interfaces.length > 0
      ? undefined
      : 'Failed to inspect hardware. Reason: the inventory has no network interface with a MAC address.',
  plugin_data(finding) {
    const booted = bootedCard(finding.found)
    const table = (cards: Card[]) =>
      Object.fromEntries(
        cards.map(({ lldp: _lldp, ...card }, at) => [
          card.name ?? `card ${at + 1}`,
          { ...card, pxe_enabled: card.mac_address === booted },
        ]),
      )
    return {
      all_interfaces: table(finding.found.interfaces),
      valid_interfaces: table(cardsToAdd(finding)),
      macs: [...new Set(cardsToAdd(finding).map(({ mac_address: address }) => address))],
    }
  },
}

export const ports: Hook = {
  ports({ keep, remove }, finding) {
    const { found, options } = finding
    const booted = bootedCard(found)
    const wanted = [...new Set(cardsToAdd(finding).map(({ mac_address: address }) => address))]
    const there = new Set(found.interfaces.map(({ mac_address: address }) => address))
    const stays = {
      all: () => true,
      present: ({ address }: Port) => there.has(address),
      added: ({ address }: Port) => wanted.includes(address),
    }[options.inspection_keep_ports]
    const isPxe = (address: string): boolean => booted === undefined || address === booted
    const known = new Set(keep.map(({ address }) => address))
    const add = wanted
      .filter((address) => !known.has(address))
      .map((address): PortOfCard => {
        return { address, pxe_enabled: isPxe(address), local_link_connection: {}, physical_network: null }
      })
    const updates = options.inspection_update_pxe_enabled && booted !== undefined && there.has(booted)
    return {
      add,
      keep: keep
        .filter(stays)
        .map((port) => (updates && there.has(port.address) ? { ...port, pxe_enabled: isPxe(port.address) } : port)),
      remove: [...remove, ...keep.filter((port) => !stays(port))],
    }
  },
}

/** What is not known of a machine restricts nothing. */
function cardsToAdd({ found, options }: Finding): Card[] {
  const booted = bootedCard(found)
  switch (options.inspection_add_ports) {
    case 'disabled':
      return []
    case 'all':
      return found.interfaces
    case 'active':
      return found.interfaces.filter((card) => Boolean(card.ipv4_address ?? card.ipv6_address))
    case 'pxe':
      return found.interfaces.filter((card) => booted === undefined || card.mac_address === booted)
  }
}

/** By the names of the cards. */
export const parseLldp: Hook = {
  plugin_data({ found }) {
    const parsed = found.interfaces.flatMap((card) =>
      card.lldp && typeof card.name === 'string' ? [[card.name, neighbourOf(card.lldp)] as const] : [],
    )
    return parsed.length === 0 ? {} : { parsed_lldp: Object.fromEntries(parsed) }
  },
}

/** Where each card is plugged in, as its switch says. What people have written is theirs. */
export const localLinkConnection: Hook = {
  ports: (draft, { found }) =>
    onEach(draft, ({ address, local_link_connection: link }) => {
      const card = found.interfaces.find((each) => each.mac_address === address)
      const told = card?.lldp ? linkOf(neighbourOf(card.lldp)) : undefined
      return told && Object.keys(link).length === 0 ? { local_link_connection: told } : {}
    }),
}

export const physicalNetwork: Hook = {
  ports: (draft, { found, options }) =>
    onEach(draft, ({ address, physical_network: known }) => {
      const card = found.interfaces.find((each) => each.mac_address === address)
      const told = card && networkOf(card, options.inspection_physical_network_cidr_map)
      return told !== undefined && known === null ? { physical_network: told } : {}
    }),
}

function networkOf(card: Card, map: Record<string, string>): string | undefined {
  for (const address of [card.ipv4_address, card.ipv6_address])
    for (const [network, name] of Object.entries(map)) if (address && isIn(address, network)) return name
  return undefined
}

function isIn(address: string, network: string): boolean {
  const [base = '', prefix] = network.split('/')
  const family = isIP(base)
  if (family === 0 || isIP(address) !== family) return false
  const type = family === 4 ? 'ipv4' : 'ipv6'
  const list = new BlockList()
  list.addSubnet(base, Number(prefix), type)
  return list.check(address, type)
}

type Seen = Pick<Port, 'address' | 'local_link_connection' | 'physical_network'>

function onEach(draft: PortsDraft, change: (port: Seen) => Partial<Seen>): PortsDraft {
  return {
    ...draft,
    add: draft.add.map((port) => ({ ...port, ...change(port) })),
    keep: draft.keep.map((port) => ({ ...port, ...change(port) })),
  }
}
