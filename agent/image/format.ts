import { formatOf } from '@bloomery/image/detect.ts'
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

/** A container written as if it were the disk would verify, and then not boot. */
export function refuseUnlessRaw(id: string, start: Buffer): void {
  const found = formatOf(start)
  if (rawFormats.has(found)) return
  throw new CommandFailure('InvalidImage', `image ${id} was declared raw and is ${found}; declare its true disk format`)
}
