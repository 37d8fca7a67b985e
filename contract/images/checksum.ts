import { z } from 'zod'

/** Checksums of images, as people and checksum files write them. */

export const digestAlgorithm = z.enum(['md5', 'sha256', 'sha512'])
export type DigestAlgorithm = z.infer<typeof digestAlgorithm>

/** Hexadecimal digits of each. */
export const digestLength = { md5: 32, sha256: 64, sha512: 128 } as const satisfies Record<DigestAlgorithm, number>

export const knownDigest = z
  .strictObject({ algorithm: digestAlgorithm, value: z.string().regex(/^[0-9a-f]+$/) })
  .refine(({ algorithm, value }) => value.length === digestLength[algorithm], 'the digest has another length')
export type KnownDigest = z.infer<typeof knownDigest>

/** More is no checksum file. */
export const LARGEST_CHECKSUM_FILE = 1024 * 1024

/** `HEX`, or `sha256:HEX`; undefined: it is neither. */
export function readDigest(text: string): KnownDigest | undefined {
  const [, named, value] = /^(?:(md5|sha256|sha512):)?([0-9a-f]+)$/.exec(text.trim().toLowerCase()) ?? []
  const algorithm = digestAlgorithm.options.find((each) => digestLength[each] === value?.length)
  if (value === undefined || algorithm === undefined || (named !== undefined && named !== algorithm)) return undefined
  return { algorithm, value }
}

/** The digest of the file of that name, in lines of `HEX  name`, `HEX *name` or `SHA256 (name) = HEX`, or in a file of nothing but a digest;
 * the strongest where it has several. */
export function digestInFile(text: string, name: string): KnownDigest | undefined {
  const lines = text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'))
  const [only] = lines
  if (lines.length === 1 && only && !/\s/.test(only)) return readDigest(only)
  const found = lines.flatMap((line) => digestInLine(line, name) ?? [])
  return found.sort((a, b) => b.value.length - a.value.length)[0]
}

function digestInLine(line: string, name: string): KnownDigest | undefined {
  const gnu = /^([0-9a-f]+)\s+\*?(?:\.\/)?(\S.*)$/i.exec(line)
  if (gnu?.[1] && gnu[2] === name) return readDigest(gnu[1])
  const bsd = /^(MD5|SHA256|SHA512) \((?:\.\/)?(.+)\) = ([0-9a-f]+)$/i.exec(line)
  if (bsd?.[3] && bsd[2] === name) return readDigest(`${bsd[1]}:${bsd[3]}`)
  return undefined
}

/** What a checksum file calls what is behind this URL. */
export function fileNameIn(url: string): string {
  const last = new URL(url).pathname.split('/').pop() ?? ''
  try {
    return decodeURIComponent(last)
  } catch {
    return last
  }
}
