/** What a member of an array says of it: Linux' md superblock of version 1.2 (md_p.h), 4 KiB into the device. Pure. */
export interface Superblock {
  /** Of the array. */
  uuid: string
  /** How many members it has when it is whole. */
  disks: number
}

export const superblockAt = 4096
export const superblockLength = 256
const magic = 0xa92b4efc

export function parseSuperblock(bytes: Buffer): Superblock | undefined {
  if (bytes.length < superblockLength || bytes.readUInt32LE(0) !== magic || bytes.readUInt32LE(4) !== 1)
    return undefined
  return { uuid: bytes.toString('hex', 16, 32), disks: bytes.readUInt32LE(92) }
}

/** Whether some array lacks members: they may be gone, or yet to be found. */
export function isIncomplete(found: readonly Superblock[]): boolean {
  return found.some(({ uuid, disks }) => found.filter((each) => each.uuid === uuid).length < disks)
}
