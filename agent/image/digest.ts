import type { ImageInfo } from '../../contract/agent.ts'
import { CommandFailure } from '../failure.ts'

export interface Digest {
  algorithm: 'sha256' | 'sha512'
  /** Lower-case hexadecimal. */
  value: string
}

const byLength: Record<number, Digest['algorithm']> = { 64: 'sha256', 128: 'sha512' }
const isUrl = (text: string) => /^https?:\/\//.test(text)

/** The digest that the image's stored bytes must have. `fetchText` reads a checksum file, where a URL stands for one. */
export async function expectedDigest(image: ImageInfo, fetchText: (url: string) => Promise<string>): Promise<Digest> {
  const algorithm = image.os_hash_algo?.toLowerCase()
  const given = image.os_hash_value ?? image.checksum
  if (!given) throw refused(image, 'it has no checksum: give os_hash_algo and os_hash_value')
  if (image.os_hash_value && algorithm !== 'sha256' && algorithm !== 'sha512')
    throw refused(image, `its os_hash_algo is ${algorithm ?? 'missing'}; sha256 and sha512 are supported`)
  const text = isUrl(given) ? digestIn(await fetchText(given), fileName(image)) : given.trim().toLowerCase()
  const value = text?.replace(/^(sha256|sha512):/, '')
  if (value === undefined) throw refused(image, `the checksum file does not name ${fileName(image)}`)
  const found = /^[0-9a-f]+$/.test(value) ? byLength[value.length] : undefined
  if (!found)
    throw refused(image, 'its checksum is neither a SHA-256 nor a SHA-512 in hexadecimal; MD5 is not supported')
  if (image.os_hash_value && found !== algorithm)
    throw refused(image, `its os_hash_algo is ${algorithm}, but its os_hash_value has the length of a ${found}`)
  return { algorithm: found, value }
}

/** In `HASH  name`, `HASH *name`, `SHA256 (name) = HASH`, or a file of nothing but the hash. */
export function digestIn(text: string, name: string): string | undefined {
  const lines = text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'))
  const [only] = lines
  if (lines.length === 1 && only && /^[0-9a-f]+$/i.test(only)) return only.toLowerCase()
  for (const line of lines) {
    const gnu = /^([0-9a-f]{64,128}) [ *]?(?:\.\/)?(.+)$/i.exec(line)
    if (gnu?.[1] && gnu[2] === name) return gnu[1].toLowerCase()
    const bsd = /^SHA(?:256|512) \((.+)\) = ([0-9a-f]{64,128})$/i.exec(line)
    if (bsd?.[2] && bsd[1] === name) return bsd[2].toLowerCase()
  }
  return undefined
}

function fileName(image: ImageInfo): string {
  const path = new URL(image.urls[0] ?? 'http://none/').pathname
  return decodeURIComponent(path.split('/').pop() ?? '')
}

function refused(image: ImageInfo, why: string): CommandFailure {
  return new CommandFailure('ImageChecksumError', `image ${image.id} cannot be verified: ${why}`)
}
