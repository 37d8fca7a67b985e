import { CommandFailure } from '../failure.ts'

/** Disk formats whose bytes are those of the disk. */
const rawFormats = new Set(['raw', 'gpt', 'iso'])

export type Format = 'raw' | 'qcow2'

/** The format that the site says the image has; without a word it is raw. */
export function declaredFormat(id: string, declared: string | null | undefined): Format {
  const name = (declared ?? 'raw').toLowerCase()
  if (rawFormats.has(name)) return 'raw'
  if (name === 'qcow2') return 'qcow2'
  throw new CommandFailure('InvalidImage', `image ${id}: disk format ${name} is not supported; use raw or qcow2`)
}

const containers: [string, Buffer][] = [
  ['qcow2', Buffer.from('QFI\xfb', 'latin1')],
  ['vmdk', Buffer.from('KDMV', 'latin1')],
  ['vhdx', Buffer.from('vhdxfile', 'latin1')],
  ['vhd', Buffer.from('conectix', 'latin1')],
  ['vdi', Buffer.from('<<< ', 'latin1')],
]

/** The container format that bytes begin like, or raw. */
export function detectedFormat(start: Buffer): string {
  return containers.find(([, magic]) => start.subarray(0, magic.length).equals(magic))?.[0] ?? 'raw'
}

/** A container written as if it were the disk would verify, and then not boot. */
export function refuseUnlessRaw(id: string, start: Buffer): void {
  const found = detectedFormat(start)
  if (found === 'raw') return
  throw new CommandFailure('InvalidImage', `image ${id} was declared raw and is ${found}; declare its true disk format`)
}
