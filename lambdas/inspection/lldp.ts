import { z } from 'zod'

/** What a switch says of itself by LLDP (IEEE 802.1AB §8.5): type and value in hexadecimal, as ironic-python-agent tells it. */
export const lldpTlvs = z
  .array(z.tuple([z.int().min(0).max(127), z.string().regex(/^([0-9a-f]{2}){0,511}$/i)]))
  .max(128)
export type LldpTlvs = z.infer<typeof lldpTlvs>

/** Under the keys of Ironic's hook `parse-lldp`. */
export interface Neighbour {
  switch_chassis_id?: string
  switch_port_id?: string
  switch_port_description?: string
  switch_system_name?: string
  switch_system_description?: string
  switch_mgmt_addresses?: string[]
  switch_port_untagged_vlan_id?: number
  switch_port_vlans?: { id: number; name: string }[]
  switch_port_mtu?: number
}

/** §8.5.2, §8.5.3: subtypes that are MAC addresses, network addresses, and text. */
const chassisSubtypes = { mac: 4, network: 5 }
const portSubtypes = { mac: 3, network: 4 }
const IEEE_8021 = '0080c2'
const IEEE_8023 = '00120f'

export function neighbourOf(tlvs: LldpTlvs): Neighbour {
  const found: Neighbour = {}
  for (const [type, hex] of tlvs) {
    const value = Buffer.from(hex, 'hex')
    if (type === 1) found.switch_chassis_id = identifier(value, chassisSubtypes)
    if (type === 2) found.switch_port_id = identifier(value, portSubtypes)
    if (type === 4) found.switch_port_description = text(value)
    if (type === 5) found.switch_system_name = text(value)
    if (type === 6) found.switch_system_description = text(value)
    if (type === 8) addManagement(found, value)
    if (type === 127) addOrganisational(found, value)
  }
  return Object.fromEntries(Object.entries(found).filter(([, value]) => value !== undefined))
}

/** As neutron's drivers want it; undefined where the switch does not say both. */
export function linkOf({ switch_chassis_id: switch_id, switch_port_id: port_id, switch_system_name: name }: Neighbour) {
  if (switch_id === undefined || port_id === undefined) return undefined
  return { switch_id, port_id, ...(name !== undefined && { switch_info: name }) }
}

function identifier(value: Buffer, subtypes: { mac: number; network: number }): string | undefined {
  const [subtype, bytes] = [value[0], value.subarray(1)]
  if (bytes.length === 0) return undefined
  if (subtype === subtypes.mac && bytes.length === 6) return bytes.toString('hex').match(/../g)?.join(':')
  if (subtype === subtypes.network) return address(bytes)
  return text(bytes)
}

/** A family of addresses (IANA: 1 is IPv4, 2 is IPv6), then the address. */
function address(bytes: Buffer): string | undefined {
  const rest = bytes.subarray(1)
  if (bytes[0] === 1 && rest.length === 4) return rest.join('.')
  if (bytes[0] === 2 && rest.length === 16) return rest.toString('hex').match(/.{4}/g)?.join(':')
  return undefined
}

/** §8.5.9: how long address and family are, then these. */
function addManagement(found: Neighbour, value: Buffer): void {
  const length = value[0] ?? 0
  const told = length > 1 && value.length > length ? address(value.subarray(1, 1 + length)) : undefined
  if (told !== undefined) found.switch_mgmt_addresses = [...(found.switch_mgmt_addresses ?? []), told]
}

/** Annex D (802.1: VLANs) and F (802.3: the largest frame). */
function addOrganisational(found: Neighbour, value: Buffer): void {
  const [who, subtype, rest] = [value.subarray(0, 3).toString('hex'), value[3], value.subarray(4)]
  if (rest.length < 2) return
  const number = rest.readUInt16BE(0)
  if (who === IEEE_8021 && subtype === 1) found.switch_port_untagged_vlan_id = number
  if (who === IEEE_8021 && subtype === 3)
    found.switch_port_vlans = [...(found.switch_port_vlans ?? []), { id: number, name: text(rest.subarray(3)) ?? '' }]
  if (who === IEEE_8023 && subtype === 4) found.switch_port_mtu = number
}

/** Names are for people: what can't be shown is left out. */
function text(value: Buffer): string | undefined {
  const shown = value.toString('utf8').replaceAll(/[\p{C}\uFFFD]/gu, '')
  return shown === '' ? undefined : shown
}
