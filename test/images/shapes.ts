import { open, readFile, writeFile } from 'node:fs/promises'
import { withMbrPartition } from '../../agent/disks/mbr.ts'
import { layout } from './disk.ts'

/** The small image in other shapes than the whole disk with a GPT that it is built as. */

/** Its root file system alone: a partition image. */
export async function rootOf(image: string, to: string): Promise<void> {
  const bytes = await readFile(image)
  const from = layout.root.at << 20
  await writeFile(to, bytes.subarray(from, bytes.length - (1 << 20)))
}

/** The same disk with an MBR: what was its BIOS boot partition lies before the first partition now, where GRUB is found all the same. */
export async function withMbr(image: string, to: string): Promise<void> {
  const bytes = await readFile(image)
  const sector = (mebibytes: number) => mebibytes * 2048
  let record: Buffer = Buffer.alloc(512)
  bytes.copy(record, 0, 0, 446)
  record.writeUInt16LE(0xaa55, 510)
  const { esp, root } = layout
  record = withMbrPartition(record, sector(esp.at), sector(esp.size), 0xef).bytes
  record = withMbrPartition(record, sector(root.at), bytes.length / 512 - sector(root.at + 1)).bytes
  await writeFile(to, bytes)
  await using file = await open(to, 'r+')
  await file.write(record, 0, 512, 0)
  const noTable = Buffer.alloc(33 * 512)
  await file.write(noTable, 0, noTable.length, 512)
  await file.write(noTable, 0, noTable.length, bytes.length - noTable.length)
}
