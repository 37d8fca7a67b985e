/** GRUB in the places that a BIOS starts it from. Pure: what grub-bios-setup does, over buffers. */

/** Offsets in boot.img (grub-core/boot/i386/pc/boot.S and include/grub/i386/pc/boot.h of GRUB 2.06). */
const coreSector = 0x5c
const driveCheck = 0x66
/** The code ends where the partition table's sector keeps the disk's signature. */
export const codeEnd = 0x1b8
/** Where core's first sector says what else to load and to which segment: the last of its block lists (12 bytes each). */
const blockList = 0x200 - 12
const segmentAfterFirstSector = 0x820

/** The first sector learns where core.img begins, and core's first sector learns where the rest of it is. */
export function placeOnDisk(
  { boot, core }: { boot: Uint8Array; core: Uint8Array },
  firstSector: number,
  sectors: number,
): { masterBootCode: Buffer; core: Buffer } {
  const length = Math.ceil(core.length / 512)
  if (length > sectors) throw new RangeError(`GRUB takes ${length} sectors, and there is room for ${sectors}`)
  const masterBootCode = Buffer.from(boot.subarray(0, codeEnd))
  masterBootCode.writeBigUInt64LE(BigInt(firstSector), coreSector)
  // A jump that distrusts the drive number of old BIOSes is replaced by two NOPs, as on any hard disk.
  masterBootCode.writeUInt16LE(0x9090, driveCheck)
  const placed = Buffer.alloc(length * 512)
  placed.set(core)
  placed.writeBigUInt64LE(BigInt(firstSector + 1), blockList)
  placed.writeUInt16LE(length - 1, blockList + 8)
  placed.writeUInt16LE(segmentAfterFirstSector, blockList + 10)
  return { masterBootCode, core: placed }
}
