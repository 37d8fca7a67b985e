import { requireMore } from '../../drivers/bmc.ts'
import { HardwareError } from '../../hardware-error.ts'
import { networkLines } from '../../media/network-data.ts'
import type { StepContext } from '../step.ts'

/** Boot interfaces that bring the ramdisk on a medium of the machine's own, without DHCP. */

const byMedia = ['redfish-virtual-media', 'idrac-redfish-virtual-media', 'redfish-https']

export function bootsFromMedia({ plan }: StepContext): boolean {
  return byMedia.includes(plan.machine.interfaces['boot'] ?? '')
}

/** Every attempt makes a boot of its own: what an earlier one inserted has lost its token, and is ejected. */
export async function prepareMedium(on: StepContext, hostname: string | undefined): Promise<void> {
  const { machine, generation, node } = on.plan
  const card = cardOf(on)
  on.agents.prearrange(node)
  on.machines.setBoot(node, generation, {
    mode: 'ramdisk',
    ramdisk: { cmdline: on.ramdiskCommandLine, media: mediaOf(on) },
    hostname,
  })
  const url = await on.media.url(machine.cpu_arch, on.machines.bootToken(on.machines.boot(node)!, card))
  if (machine.interfaces['boot'] === 'redfish-https') {
    on.note('having the firmware fetch the boot medium')
    await requireMore(await on.bmc(), machine.driver, 'bootFromUrl')(url)
    on.observed({ bootDevice: { boot_device: 'uefihttp', persistent: false } })
    return
  }
  const bmc = await on.bmc()
  on.note('inserting the boot medium')
  await requireMore(bmc, machine.driver, 'attachMedia')('cdrom', url)
  on.note('setting boot device cdrom')
  await bmc.setBootDevice('cdrom', { persistent: false, uefi: machine.boot_mode === 'uefi' })
  on.observed({ bootDevice: { boot_device: 'cdrom', persistent: false } })
}

/** The instance's own ISO, to stay in. */
export async function insertInstance(on: StepContext): Promise<void> {
  const { machine, node } = on.plan
  const boot = on.machines.boot(node)!
  const url = on.media.instanceUrl(on.machines.bootToken(boot, cardOf(on)))
  const bmc = await on.bmc()
  on.note("inserting the instance's ISO")
  await requireMore(bmc, machine.driver, 'attachMedia')('cdrom', url)
  on.note('setting boot device cdrom')
  await bmc.setBootDevice('cdrom', { persistent: true, uefi: machine.boot_mode === 'uefi' })
  on.observed({ bootDevice: { boot_device: 'cdrom', persistent: true } })
}

function cardOf({ plan: { machine } }: StepContext): string {
  const card = machine.ports.find(({ pxe_enabled }) => pxe_enabled)
  if (!card) throw new HardwareError('the node has no port that it may boot from')
  return card.address
}

/** What was never in is not ejected. */
export async function ejectMedium(on: StepContext): Promise<void> {
  const { machine } = on.plan
  if (!bootsFromMedia(on) || machine.interfaces['boot'] === 'redfish-https') return
  on.note('ejecting the boot medium')
  await requireMore(await on.bmc(), machine.driver, 'detachMedia')(['cdrom'])
}

function mediaOf({ plan: { machine } }: StepContext): { network: string; networkData?: Record<string, unknown> } {
  const { network_data: networkData } = machine
  try {
    return { network: networkLines(networkData), ...(networkData ? { networkData } : {}) }
  } catch (error) {
    if (error instanceof RangeError) throw new HardwareError(error.message)
    throw error
  }
}
