import { setBootDevice } from '@bloomery/ipmi/chassis.ts'
import type { BootDevice as IpmiBootDevice } from '@bloomery/ipmi/boot-parameters.ts'
import type { IpmiSession } from '@bloomery/ipmi/client.ts'
import { z } from 'zod'
import type { BootDevice } from '../../contract/resources.ts'
import { HardwareError } from '../hardware-error.ts'
import type { Memory } from './bmc.ts'
import type { IpmiInfo } from './ipmi-info.ts'

const device = z.enum(['pxe', 'disk', 'cdrom', 'bios', 'safe'])

/** What a BMC that forgets its boot device is told again at each start (driver_info/ipmi_force_boot_device). */
const remembered = z.object({
  again: z.object({ device, uefi: z.boolean() }).nullable(),
  /** The next start has a device of its own. */
  once: z.boolean(),
})
type Remembered = z.infer<typeof remembered>

export function ipmiBootDevice(name: BootDevice): IpmiBootDevice {
  const found = device.safeParse(name)
  if (!found.success) throw new HardwareError(`IPMI has no boot device ${name}`)
  return found.data
}

export async function chooseBootDevice(
  session: IpmiSession,
  info: IpmiInfo,
  memory: Memory,
  choice: { device: IpmiBootDevice; persistent: boolean; uefi: boolean },
): Promise<void> {
  await setBootDevice(session, { ...choice, keep: info.ipmi_disable_boot_timeout })
  if (!info.ipmi_force_boot_device) return
  const { persistent, device, uefi } = choice
  remember(memory, persistent ? { again: { device, uefi }, once: false } : { ...recall(memory), once: true })
}

/** Right before the machine starts. */
export async function chooseAgain(session: IpmiSession, info: IpmiInfo, memory: Memory): Promise<void> {
  if (!info.ipmi_force_boot_device) return
  const { again, once } = recall(memory)
  if (once) remember(memory, { again, once: false })
  else if (again) await setBootDevice(session, { ...again, persistent: false, keep: info.ipmi_disable_boot_timeout })
}

function recall(memory: Memory): Remembered {
  const text = memory.read()
  const found = text === undefined ? undefined : remembered.safeParse(parse(text)).data
  return found ?? { again: null, once: false }
}

/** What another driver left for itself is none of ours. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function remember(memory: Memory, state: Remembered): void {
  memory.write(JSON.stringify(state))
}
