import { listAllDisks } from '../disks/list.ts'
import type { Disk } from '../disks/disk.ts'
import { assembleArrays, nameOf } from './mdadm.ts'

/** All disks with the arrays among them, which are assembled first; again whenever a disk has come. */
export class Arrays {
  #seen = ''

  async all(): Promise<Disk[]> {
    const found = await listAllDisks()
    const seen = found.map(({ name }) => name).join()
    if (seen !== this.#seen) {
      if (found.length > 0) await assembleArrays()
      const after = await listAllDisks()
      this.#seen = after.map(({ name }) => name).join()
      return named(after)
    }
    return named(found)
  }

  /** Those that an image could be written to. */
  async disks(): Promise<Disk[]> {
    return (await this.all()).filter(({ holds }) => holds === undefined)
  }
}

function named(disks: readonly Disk[]): Promise<Disk[]> {
  return Promise.all(
    disks.map(async (disk) =>
      disk.members === undefined ? disk : { ...disk, volume_name: await nameOf(disk.name).catch(() => undefined) },
    ),
  )
}
