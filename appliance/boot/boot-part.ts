import { join } from 'node:path'
import type { BootFiles } from './files.ts'
import type { BootMachine } from './machine.ts'

export const ISO = 'instance.iso'
/** The boot medium of our own ramdisk. */
export const MEDIUM = 'boot.iso'
export type BootPart = 'kernel' | 'initrd' | typeof ISO

export interface BootPartsOf {
  files: Pick<BootFiles, 'ramdisks'>
  /** The image cache, where instances have theirs. */
  imageDir?: string
}

/** The file that this machine gets now; undefined: there is none, or it is not what it boots. */
export function pathOfPart({ files, imageDir }: BootPartsOf, machine: BootMachine, part: BootPart): string | undefined {
  if (machine.mode !== 'instance') return part === ISO ? undefined : files.ramdisks[machine.arch]?.[part]
  const name = machine.instance?.[part === ISO ? 'iso' : part]
  return name === undefined || imageDir === undefined ? undefined : join(imageDir, name)
}
