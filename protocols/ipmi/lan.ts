import { WireError } from '@bloomery/wire/error.ts'
import type { IpmiSession } from './client.ts'
import { decodeWith, encodeWith } from './command.ts'
import { THIS_CHANNEL } from './commands.ts'
import { completionCodes } from './completion-code.ts'
import { CommandFailed, IpmiError, MalformedAnswer } from './error.ts'
import { getLanParameter, lanCodes, setLanParameter } from './lan-commands.ts'
import * as parameters from './lan-parameters.ts'
import type { Parameter } from './parameter.ts'

export type AddressSource = keyof typeof parameters.addressSources

/** What a BMC's network interface is told. `vlan`: undefined has it send untagged; what a BMC doesn't have can't be read. */
export interface LanConfig {
  source: AddressSource
  address: string
  mask: string
  gateway: string
  mac: string
  community: string
  vlan: number | undefined
}

export async function readLan(session: IpmiSession): Promise<Partial<LanConfig>> {
  const source = await read(session, parameters.addressSource)
  const tag = await read(session, parameters.vlan)
  const found: Partial<LanConfig> = {
    source: source && nameOf(source.source.from),
    address: await read(session, parameters.address),
    mask: await read(session, parameters.subnetMask),
    gateway: await read(session, parameters.gateway),
    mac: await read(session, parameters.macAddress),
    community: await read(session, parameters.community),
    vlan: tag?.tagged ? tag.id : undefined,
  }
  return found
}

/** Between "set in progress" and "set complete", so that nobody else writes meanwhile (IPMI 2.0 table 23-4, parameter 0). A BMC that is
 * given another address answers there, so its silence after that is no failure of its own. */
export async function writeLan(session: IpmiSession, changes: Partial<Omit<LanConfig, 'mac'>>): Promise<void> {
  const begun = await begin(session)
  try {
    const from = changes.source && parameters.addressSources[changes.source]
    if (from !== undefined) await write(session, parameters.addressSource, { source: { from } })
    if (changes.gateway !== undefined) await write(session, parameters.gateway, changes.gateway)
    if (changes.community !== undefined) await write(session, parameters.community, changes.community)
    if (changes.mask !== undefined) await write(session, parameters.subnetMask, changes.mask)
    if ('vlan' in changes)
      await write(session, parameters.vlan, { id: changes.vlan ?? 0, tagged: changes.vlan !== undefined })
    if (changes.address !== undefined) await write(session, parameters.address, changes.address)
  } finally {
    if (begun) await write(session, parameters.setInProgress, { state: { phase: parameters.phases.complete } })
  }
}

async function begin(session: IpmiSession): Promise<boolean> {
  try {
    await write(session, parameters.setInProgress, { state: { phase: parameters.phases.inProgress } })
    return true
  } catch (error) {
    if (!(error instanceof CommandFailed)) throw error
    if (error.completionCode === lanCodes.notSupported) return false
    if (error.completionCode !== lanCodes.inProgress) throw error
    const { host, port } = session
    const problem = 'somebody else is changing the LAN configuration; wait for him, or restart the BMC to end it'
    throw new IpmiError({ host, port, operation: setLanParameter.name }, problem)
  }
}

async function read<T>(session: IpmiSession, { selector, data: codec }: Parameter<T>): Promise<T | undefined> {
  try {
    const channel = { number: THIS_CHANNEL, revisionOnly: false }
    const { data } = await session.send(getLanParameter, { channel, selector, set: 0, block: 0 })
    return decodeWith(codec, data)
  } catch (error) {
    if (error instanceof CommandFailed && lacking.has(error.completionCode)) return undefined
    if (!(error instanceof WireError)) throw error
    const { host, port } = session
    throw new MalformedAnswer({ host, port, operation: getLanParameter.name }, error)
  }
}

async function write<T>(session: IpmiSession, { selector, data }: Parameter<T>, value: T): Promise<void> {
  const channel = { number: THIS_CHANNEL }
  await session.send(setLanParameter, { channel, selector, data: encodeWith(data, value) })
}

const lacking: ReadonlySet<number> = new Set([
  lanCodes.notSupported,
  completionCodes.outOfRange,
  completionCodes.invalidData,
])

function nameOf(from: number): AddressSource {
  const found = Object.entries(parameters.addressSources).find(([, number]) => number === from)
  return (found?.[0] as AddressSource | undefined) ?? 'other'
}
