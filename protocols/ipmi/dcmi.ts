import type { PowerReading } from './bmc-options.ts'
import type { IpmiSession } from './client.ts'
import type { Command } from './command.ts'
import {
  activatePowerLimit,
  DCMI,
  getAssetTag,
  getControllerId,
  getDcmiCapabilities,
  getPowerLimit,
  getPowerReading,
  limitActions,
  limitCodes,
  setAssetTag,
  setControllerId,
  setPowerLimit,
  TEXT_PART,
} from './dcmi-commands.ts'
import { CommandFailed, MalformedAnswer } from './error.ts'
import { WireError } from '@bloomery/wire/error.ts'

const SYSTEM_POWER = 1
const SUPPORTED_CAPABILITIES = 1
/** DCMI 1.5 §6.4.3, §6.4.6: more than any text of a BMC has. */
const MOST_TEXT = 63

export interface PowerLimit {
  watts: number
  /** What happens when it can't be kept for `correctionMs`. */
  action: keyof typeof limitActions | number
  correctionMs: number
  /** Over which its statistics go. */
  periodSeconds: number
}

/** What DCMI the BMC speaks, and whether it manages power. */
export async function readDcmiCapabilities(session: IpmiSession): Promise<{ version: string; power: boolean }> {
  const request = { group: DCMI, selector: SUPPORTED_CAPABILITIES } as const
  const { major, minor, data } = await session.send(getDcmiCapabilities, request)
  return { version: `${major}.${minor}`, power: ((data[1] ?? 0) & 1) === 1 }
}

/** Undefined: nothing is measured now (DCMI 1.5 §6.6.1). Some that measure say that they don't, but hardly 0 W then. */
export async function readPowerReading(session: IpmiSession): Promise<PowerReading | undefined> {
  const request = { group: DCMI, mode: SYSTEM_POWER, attributes: 0, reserved: 0 } as const
  const { watts, minimum, maximum, average, periodMs, state } = await session.send(getPowerReading, request)
  if (!state.active && watts === 0) return undefined
  return { watts, minimum, maximum, average, periodMs }
}

/** Undefined: none is in force. */
export async function readPowerLimit(session: IpmiSession): Promise<PowerLimit | undefined> {
  try {
    const limit = await session.send(getPowerLimit, { group: DCMI, reserved: new Uint8Array(2) })
    const { watts, action, correctionMs, periodSeconds } = limit
    return { watts, action: nameOf(action), correctionMs, periodSeconds }
  } catch (error) {
    if (error instanceof CommandFailed && error.completionCode === limitCodes.notActive) return undefined
    throw error
  }
}

/** From now on; undefined lifts it. */
export async function limitPower(session: IpmiSession, limit: PowerLimit | undefined): Promise<void> {
  if (limit) {
    const action = typeof limit.action === 'number' ? limit.action : limitActions[limit.action]
    const spaces = { reserved: new Uint8Array(3), spare: new Uint8Array(2) }
    await session.send(setPowerLimit, { group: DCMI, ...spaces, ...limit, action })
  }
  const activate = { active: limit !== undefined }
  await session.send(activatePowerLimit, { group: DCMI, activate, reserved: new Uint8Array(2) })
}

export function readAssetTag(session: IpmiSession): Promise<string> {
  return readText(session, getAssetTag)
}

export function writeAssetTag(session: IpmiSession, tag: string): Promise<void> {
  return writeText(session, setAssetTag, Buffer.from(tag))
}

export function readControllerId(session: IpmiSession): Promise<string> {
  return readText(session, getControllerId)
}

export function writeControllerId(session: IpmiSession, id: string): Promise<void> {
  return writeText(session, setControllerId, Buffer.from(`${id}\0`))
}

async function readText(session: IpmiSession, command: typeof getAssetTag): Promise<string> {
  const parts: Uint8Array[] = []
  for (let offset = 0, total = 1; offset < Math.min(total, MOST_TEXT + 1);) {
    const count = Math.min(TEXT_PART, offset === 0 ? TEXT_PART : total - offset)
    const answer = await session.send(command, { group: DCMI, offset, count })
    if (answer.data.length === 0 && answer.total > offset) throw cutShort(session, command)
    parts.push(answer.data.subarray(0, answer.total - offset))
    total = answer.total
    offset += Math.max(answer.data.length, 1)
  }
  return Buffer.concat(parts).toString().replace(/\0.*$/s, '')
}

async function writeText(session: IpmiSession, command: typeof setAssetTag, bytes: Buffer): Promise<void> {
  if (bytes.length > MOST_TEXT + 1) throw new RangeError(`a text of ${bytes.length} bytes; DCMI allows ${MOST_TEXT}`)
  for (let offset = 0; offset === 0 || offset < bytes.length; offset += TEXT_PART) {
    const data = bytes.subarray(offset, offset + TEXT_PART)
    await session.send(command, { group: DCMI, offset, count: data.length, data })
  }
}

function nameOf(action: number): PowerLimit['action'] {
  const found = Object.entries(limitActions).find(([, number]) => number === action)
  return found ? (found[0] as keyof typeof limitActions) : action
}

function cutShort({ host, port }: IpmiSession, { name }: Pick<Command<unknown, unknown>, 'name'>): MalformedAnswer {
  return new MalformedAnswer({ host, port, operation: name }, new WireError('no data where some are due'))
}
