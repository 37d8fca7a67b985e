import { isZero } from './chunks.ts'
import { ESP, type Layout } from './layout.ts'
import type { RandomAccess } from './random-access.ts'

/** How firmware may start the disk, by what lies where it looks: code in the first sector (BIOS), an EFI system partition (UEFI 2.10
 * §13.3). A CD image is asked for its El Torito catalogue. Whether what lies there works is not known before it was started. */
export async function bootModesOf(disk: RandomAccess, layout: Layout): Promise<Array<'bios' | 'uefi'>> {
  const first = await disk.read(0, 440)
  const onCd = await elTorito(disk)
  const bios = onCd.has(0x00) || (layout.table !== 'none' && first.length === 440 && !isZero(first))
  const uefi = onCd.has(0xef) || layout.partitions.some(({ type }) => type === ESP || type === 'ef')
  return [...(bios ? (['bios'] as const) : []), ...(uefi ? (['uefi'] as const) : [])]
}

const SECTOR = 2048

/** Platforms in the boot catalogue (El Torito 1.0 §2), which the volume descriptor in sector 17 points to. */
async function elTorito(disk: RandomAccess): Promise<Set<number>> {
  const record = await disk.read(17 * SECTOR, 75)
  if (record.length < 75 || record.toString('latin1', 1, 30) !== 'CD001\x01EL TORITO SPECIFICATION') return new Set()
  const catalogue = await disk.read(record.readUInt32LE(71) * SECTOR, SECTOR)
  const platforms = new Set<number>()
  if (catalogue.length < 64 || catalogue[0] !== 1) return platforms
  if (catalogue[32] === 0x88) platforms.add(catalogue[1]!)
  for (let at = 64; at + 64 <= catalogue.length && (catalogue[at] === 0x90 || catalogue[at] === 0x91);) {
    const entries = catalogue.readUInt16LE(at + 2)
    if (catalogue[at + 32] === 0x88) platforms.add(catalogue[at + 1]!)
    if (catalogue[at] === 0x91) break
    at += 32 * (entries + 1)
  }
  return platforms
}
