/** What a file begins with, by its format's own specification; `raw` is what begins like none of them. */
export type Format = 'qcow2' | 'vmdk' | 'vhdx' | 'vhd' | 'vdi' | 'gzip' | 'xz' | 'zstd' | 'iso' | 'raw'

const magics: Array<[Format, number, Buffer]> = [
  ['qcow2', 0, Buffer.from('QFI\xfb', 'latin1')],
  ['vmdk', 0, Buffer.from('KDMV', 'latin1')],
  ['vmdk', 0, Buffer.from('# Disk DescriptorFile', 'latin1')],
  ['vhdx', 0, Buffer.from('vhdxfile', 'latin1')],
  ['vhd', 0, Buffer.from('conectix', 'latin1')],
  ['vdi', 0, Buffer.from('<<< ', 'latin1')],
  ['gzip', 0, Buffer.from([0x1f, 0x8b, 0x08])],
  ['xz', 0, Buffer.from('\xfd7zXZ\0', 'latin1')],
  ['zstd', 0, Buffer.from([0x28, 0xb5, 0x2f, 0xfd])],
  // ECMA-119 §8.1: the first volume descriptor is in sector 16.
  ['iso', 32_769, Buffer.from('CD001', 'latin1')],
]

/** Enough of a file to know it by. */
export const HEAD_BYTES = 32_774

/** A disk with a partition table that is also a CD, as installers' images are, is `iso`. */
export function formatOf(head: Buffer): Format {
  const found = magics.find(([, at, magic]) => head.subarray(at, at + magic.length).equals(magic))
  return found?.[0] ?? 'raw'
}
