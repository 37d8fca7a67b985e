import { z } from 'zod'

const mac = z
  .string()
  .toLowerCase()
  .regex(/^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/, 'is no MAC address')
/** As the kernel has them (Documentation/networking/bonding.rst). */
const bondMode = z.enum([
  'balance-rr',
  'active-backup',
  'balance-xor',
  'broadcast',
  '802.3ad',
  'balance-tlb',
  'balance-alb',
])

/** One link of network data as Nova has it. */
export const link = z.object({
  id: z.string().max(255),
  type: z.string().max(64),
  ethernet_mac_address: mac.optional(),
  bond_links: z.array(z.string().max(255)).min(1).max(8).optional(),
  bond_mode: bondMode.default('active-backup'),
  bond_miimon: z.coerce.number().int().min(1).max(10_000).default(100),
  vlan_link: z.string().max(255).optional(),
  vlan_id: z.coerce.number().int().min(1).max(4094).optional(),
})
export type Link = z.infer<typeof link>

/** A VLAN on a bond is deep enough. */
const DEEPEST = 3

export interface Links {
  /** What the ramdisk calls it. Throws RangeError where it can't be used. */
  deviceOf(id: string, whose: string): string
  /** Of bonds and VLANs that were asked for, those that others are on first. */
  lines(): string[]
}

/** Names are ours, for people's may be anything; bonds and VLANs that no network is on are left out. */
export function openLinks(links: readonly Link[]): Links {
  const named = new Map<string, string>()
  const lines: string[] = []
  const cards = new Set<string>()

  function deviceOf(id: string, whose: string, depth = 0): string {
    const of = links.find((each) => each.id === id)
    if (!of) throw new RangeError(`network_data: network ${whose} names no link that is there`)
    const known = named.get(id)
    if (known !== undefined) return known
    if (depth >= DEEPEST) throw new RangeError(`network_data: link ${id} is on links that are on too many others`)
    const name = of.type === 'vlan' ? vlan(of, whose, depth) : of.type === 'bond' ? bond(of, whose, depth) : cardOf(of)
    named.set(id, name)
    return name
  }

  function vlan({ id, vlan_id: number, vlan_link: parent }: Link, whose: string, depth: number): string {
    if (number === undefined || parent === undefined)
      throw new RangeError(`network_data: VLAN ${id} needs its vlan_id and vlan_link`)
    const on = deviceOf(parent, whose, depth + 1)
    const name = `vlan${number}`
    if ([...named.values()].includes(name)) throw new RangeError(`network_data: VLAN ${number} is there twice`)
    lines.push(`vlan ${name} ${number} ${on}`)
    return name
  }

  function bond(
    { id, bond_links: members = [], bond_mode: mode, bond_miimon: ms }: Link,
    whose: string,
    depth: number,
  ) {
    if (members.length === 0) throw new RangeError(`network_data: bond ${id} needs its bond_links`)
    const macs = members.map((member) => deviceOf(member, whose, depth + 1))
    for (const each of macs) {
      if (!each.includes(':') || cards.has(each))
        throw new RangeError(`network_data: bond ${id} needs cards of its own, not ${each}`)
      cards.add(each)
    }
    const name = `bond${lines.filter((line) => line.startsWith('bond ')).length}`
    lines.push(`bond ${name} ${mode} ${ms} ${macs.join(' ')}`)
    return name
  }

  function cardOf({ id, type, ethernet_mac_address: address }: Link): string {
    if (type !== 'bridge' && address !== undefined) return address
    throw new RangeError(`network_data: the ramdisk can't use link ${id} of type ${type}: name the card itself`)
  }

  return { deviceOf: (id, whose) => deviceOf(id, whose), lines: () => lines }
}
