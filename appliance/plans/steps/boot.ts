import type { BootDevice } from '../../../contract/resources.ts'
import type { StepContext, StepRunner } from '../step.ts'
import { bootsFromMedia, ejectMedium, prepareMedium } from './media-boot.ts'

/** `Default`: as the flow wants it (reference §3.6). For BMCs that forget, or that can do only one of the two. */
const forced: Readonly<Record<string, boolean>> = { Always: true, true: true, Never: false }

export async function setBootOf(on: StepContext, device: BootDevice, persistent: boolean): Promise<void> {
  const asked = forced[String(on.plan.machine.driver_info['force_persistent_boot_device'])]
  return setDevice(on, device, asked ?? persistent)
}

async function setDevice(on: StepContext, device: BootDevice, persistent: boolean): Promise<void> {
  on.note(`setting boot device ${device}`)
  const bmc = await on.bmc()
  await bmc.setBootDevice(device, { persistent, uefi: on.plan.machine.boot_mode === 'uefi' })
  on.observed({ bootDevice: { boot_device: device, persistent } })
}

export function hostname(on: StepContext): string | undefined {
  const { machine } = on.plan
  const name = machine.instance_info['display_name'] ?? machine.name
  return typeof name === 'string' && /^[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$/.test(name) ? name : undefined
}

/** From here on the boot servers answer this machine with the ramdisk. Network boot for the next boot only: if all else fails the
 * machine comes back to its disk. */
export const prepareRamdisk: StepRunner<'boot.prepare_ramdisk'> = async (_args, on) => {
  on.agents.wipe(on.plan.node)
  if (bootsFromMedia(on)) return prepareMedium(on, hostname(on))
  on.machines.setBoot(on.plan.node, on.plan.generation, {
    mode: 'ramdisk',
    ramdisk: { cmdline: on.ramdiskCommandLine },
    hostname: hostname(on),
  })
  await setBootOf(on, 'pxe', false)
}

export const cleanUpRamdisk: StepRunner<'boot.clean_up_ramdisk'> = async (_args, on) => {
  on.agents.wipe(on.plan.node)
  on.machines.setBoot(on.plan.node, on.plan.generation, { mode: 'off' })
  await ejectMedium(on)
}

export const prepareInstance: StepRunner<'boot.prepare_instance'> = async (_args, on) => {
  on.machines.setBoot(on.plan.node, on.plan.generation, { mode: 'disk', hostname: hostname(on) })
  await ejectMedium(on)
  await setBootOf(on, 'disk', true)
}

/** Of a machine that runs already: it is not touched (reference §3.10). */
export const takeOver: StepRunner<'deploy.take_over'> = async (_args, on) => {
  on.note('taking the running machine over')
  on.machines.setBoot(on.plan.node, on.plan.generation, { mode: 'disk', hostname: hostname(on) })
}

export const setBootDevice: StepRunner<'management.set_boot_device'> = ({ device, persistent }, on) =>
  setDevice(on, device, persistent)
