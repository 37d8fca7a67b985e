import type { IsoLayout } from '../../contract/iso9660.ts'

/** How a CD says what firmware shall boot from it ("El Torito" 1.0; UEFI 2.10 §13.3.2.1 for its platform 0xef). */

export interface BootImages {
  /** Paths of files on the volume. */
  catalog: string
  bios?: string
  uefi?: string
}

const SECTOR = 2048
const BIOS = 0
const UEFI = 0xef

/** The descriptor that leads to the catalogue; its place is sector 17. */
export function bootRecord(places: IsoLayout['files'], images: BootImages): Uint8Array {
  const bytes = Buffer.alloc(SECTOR)
  bytes.write('\x00CD001\x01EL TORITO SPECIFICATION', 0, 'latin1')
  bytes.writeUInt32LE(placeOf(places, images.catalog).at / SECTOR, 71)
  return bytes
}

export function bootCatalog(places: IsoLayout['files'], { bios, uefi }: BootImages): Uint8Array {
  const bytes = Buffer.alloc(SECTOR)
  const first = bios === undefined ? UEFI : BIOS
  bytes[0] = 1
  bytes[1] = first
  bytes.writeUInt16LE(0xaa55, 30)
  bytes.writeUInt16LE(-sumOfWords(bytes.subarray(0, 32)) & 0xffff, 28)
  // GRUB's first part loads the rest by itself: four sectors of 512 bytes are what BIOSes load.
  if (bios !== undefined) bytes.set(entry(placeOf(places, bios).at, 4), 32)
  if (uefi === undefined) return bytes
  const { at, size } = placeOf(places, uefi)
  const ofUefi = entry(at, Math.min(Math.ceil(size / 512), 0xffff))
  if (bios === undefined) bytes.set(ofUefi, 32)
  else {
    bytes[64] = 0x91 // the last section
    bytes[65] = UEFI
    bytes.writeUInt16LE(1, 66)
    bytes.set(ofUefi, 96)
  }
  return bytes
}

/** What GRUB's first part on a CD has to know to load the rest: the "boot information table" at offset 8. */
export function withBootInformation(image: Uint8Array, at: number): Uint8Array {
  // Whole words, for the sum.
  const bytes = Buffer.concat([image, Buffer.alloc((4 - (image.length % 4)) % 4)])
  bytes.writeUInt32LE(16, 8) // the primary volume descriptor
  bytes.writeUInt32LE(at / SECTOR, 12)
  bytes.writeUInt32LE(bytes.length, 16)
  let sum = 0
  for (let offset = 64; offset + 4 <= bytes.length; offset += 4) sum = (sum + bytes.readUInt32LE(offset)) >>> 0
  bytes.writeUInt32LE(sum, 20)
  return bytes
}

/** Bootable, without emulation of a floppy or a hard disk. */
function entry(at: number, sectors: number): Uint8Array {
  const bytes = Buffer.alloc(32)
  bytes[0] = 0x88
  bytes.writeUInt16LE(sectors, 6)
  bytes.writeUInt32LE(at / SECTOR, 8)
  return bytes
}

function sumOfWords(bytes: Buffer): number {
  let sum = 0
  for (let offset = 0; offset < bytes.length; offset += 2) sum += bytes.readUInt16LE(offset)
  return sum
}

export function placeOf(places: IsoLayout['files'], path: string): IsoLayout['files'][number] {
  const found = places.find((each) => each.path === path)
  if (!found) throw new RangeError(`the volume has no file ${path}`)
  return found
}
