import { type BootDevice, bootDevices, bootFlags, noBootFlags, validBitClearing } from './boot-parameters.ts'
import type { IpmiSession } from './client.ts'
import { decodeWith, encodeWith } from './command.ts'
import {
  type ChassisAction,
  chassisControl,
  getChassisStatus,
  getSystemBootOptions,
  setSystemBootOptions,
} from './commands.ts'
import { CommandFailed, MalformedAnswer } from './error.ts'
import { WireError } from '@bloomery/wire/error.ts'

export interface BootChoice {
  device: BootDevice
  persistent: boolean
  uefi: boolean
  /** Whether the BMC is told to keep the choice for longer than 60 s; true unless said otherwise. */
  keep?: boolean
}

/** A device that this library has no name for, or none chosen, reads as undefined. `valid` is whether the BMC still means to
 * hand the choice to the firmware; not every BMC keeps that bit truly, so it is told and not interpreted. */
export interface BootReading {
  valid: boolean
  device: BootDevice | undefined
  persistent: boolean
  uefi: boolean
}

const devicesByNumber = new Map<number, BootDevice>(
  Object.entries(bootDevices).flatMap(([name, value]) => (name === 'none' ? [] : [[value, name as BootDevice]])),
)

export async function readPower(session: IpmiSession): Promise<'on' | 'off'> {
  const { power } = await session.send(getChassisStatus, undefined)
  return power.on ? 'on' : 'off'
}

/** Returns when the BMC accepted; reaching the state takes the machine some seconds more, so poll `readPower`. */
export async function setPower(session: IpmiSession, action: ChassisAction): Promise<void> {
  await session.send(chassisControl, { action })
}

export async function readBootDevice(session: IpmiSession): Promise<BootReading> {
  const answer = await session.send(getSystemBootOptions, { selector: bootFlags.selector, set: 0, block: 0 })
  if (answer.parameter.selector !== bootFlags.selector) throw malformed(session, new WireError('another parameter'))
  try {
    const { flags, boot } = decodeWith(bootFlags.data, answer.data)
    return {
      valid: flags.valid,
      device: devicesByNumber.get(boot.device),
      persistent: flags.persistent,
      uefi: flags.uefi,
    }
  } catch (error) {
    throw error instanceof WireError ? malformed(session, error) : error
  }
}

/** Without the first command a BMC drops the choice when no power command follows within 60 s (IPMI 2.0 table 28-14). BMCs that
 * don't have that parameter have no such timeout either. */
export async function setBootDevice(session: IpmiSession, choice: BootChoice): Promise<void> {
  if (choice.keep ?? true) await keepValidBit(session)
  const flags = { valid: true, persistent: choice.persistent, uefi: choice.uefi }
  const boot = { ...noBootFlags.boot, device: bootDevices[choice.device] }
  await set(session, bootFlags.selector, encodeWith(bootFlags.data, { ...noBootFlags, flags, boot }))
}

async function keepValidBit(session: IpmiSession): Promise<void> {
  const keep = { ...noKeep, withoutControlIn60s: true }
  await set(session, validBitClearing.selector, encodeWith(validBitClearing.data, { keep })).catch((error: unknown) => {
    if (!(error instanceof CommandFailed)) throw error
  })
}

const noKeep = { onPowerButton: false, onResetButton: false, onWatchdog: false, onPefReset: false }

async function set(session: IpmiSession, selector: number, data: Uint8Array): Promise<void> {
  await session.send(setSystemBootOptions, { parameter: { selector, locked: false }, data })
}

function malformed(session: IpmiSession, cause: WireError): MalformedAnswer {
  return new MalformedAnswer({ host: session.host, port: session.port, operation: getSystemBootOptions.name }, cause)
}
