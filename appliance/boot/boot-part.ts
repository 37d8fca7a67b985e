import { join } from 'node:path'
import type { BootFiles } from './files.ts'
import type { BootMachine } from './machine.ts'

export const ISO = 'instance.iso'
/** The boot medium of our own ramdisk. */
export const MEDIUM = 'boot.iso'
/** Where Anaconda looks for its second stage below what `inst.stage2` names. */
export const STAGE2 = 'LiveOS/squashfs.img'
export const KICKSTART = 'ks.cfg'
export type BootPart = 'kernel' | 'initrd' | typeof ISO | typeof STAGE2

export interface BootPartsOf {
  files: Pick<BootFiles, 'ramdisks'>
  /** The image cache, where instances have theirs. */
  imageDir?: string
}

const nameOf = { kernel: 'kernel', initrd: 'initrd', [ISO]: 'iso', [STAGE2]: 'stage2' } as const

/** The file that this machine gets now; undefined: there is none, or it is not what it boots. */
export function pathOfPart({ files, imageDir }: BootPartsOf, machine: BootMachine, part: BootPart): string | undefined {
  if (machine.mode !== 'instance')
    return part === 'kernel' || part === 'initrd' ? files.ramdisks[machine.arch]?.[part] : undefined
  const name = machine.instance?.[nameOf[part]]
  return name === undefined || imageDir === undefined ? undefined : join(imageDir, name)
}
