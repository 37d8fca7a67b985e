import type { InstanceFile, InstanceRamdisk } from '../../../contract/plan-sources.ts'
import type { BootInstance } from '../../boot/machine.ts'
import { HardwareError } from '../../hardware-error.ts'
import type { StepContext, StepRunner } from '../step.ts'
import { hostname, setBootOf } from './boot.ts'
import { bootsFromMedia, insertInstance } from './media-boot.ts'

/** From here on the machine is given what its instance boots, at every start until it is torn down: its boot device is the network's, or the
 * virtual drive's, for good. */
export const prepareInstanceRamdisk: StepRunner<'boot.prepare_instance_ramdisk'> = async ({ files, cmdline }, on) => {
  const { node, generation } = on.plan
  const byMedium = bootsFromMedia(on)
  if ('boot_iso' in files && !byMedium && on.machines.boot(node)?.secureBoot)
    throw new HardwareError(
      "an ISO is started by iPXE, which Secure Boot doesn't start: use redfish-virtual-media, or a kernel and ramdisk",
    )
  const fetched = await fetchFiles(files, on)
  on.agents.wipe(node)
  on.machines.setBoot(node, generation, {
    mode: 'instance',
    instance: { ...fetched, cmdline, ...(byMedium ? { byMedium } : {}) },
    hostname: hostname(on),
  })
  if (byMedium) return insertInstance(on)
  await setBootOf(on, 'pxe', true)
}

async function fetchFiles(
  files: InstanceRamdisk['files'],
  on: StepContext,
): Promise<Pick<BootInstance, 'kernel' | 'initrd' | 'iso'>> {
  const bring = (file: InstanceFile, what: string): Promise<string> =>
    on.images.file(file, what, {
      commandOf: on.plan.id,
      signal: on.signal,
      progress: (percent) => on.note(`fetching ${what} to the site`, percent),
      trouble: (text) => on.note(`waiting for ${what}: ${text}`),
    })
  if ('boot_iso' in files) return { iso: await bring(files.boot_iso, "the instance's ISO") }
  return {
    kernel: await bring(files.kernel, "the instance's kernel"),
    initrd: await bring(files.ramdisk, "the instance's ramdisk"),
  }
}
