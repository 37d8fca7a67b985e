import type { Disk } from '../disks/disk.ts'
import { CommandFailure } from '../failure.ts'
import type { Written } from '../machine/machine.ts'

/** The disk that this boot of the agent wrote an image to: what later commands are about. */
export interface Deployed {
  disk?: Disk
  written?: Written
}

export function diskOf(deployed: Deployed): Disk {
  if (deployed.disk) return deployed.disk
  throw new CommandFailure('DeviceNotFound', 'no image was written since the ramdisk booted', { code: 404 })
}
