import type { ImageInfo } from '../../contract/agent.ts'
import { digestInFile, fileNameIn, readDigest } from '../../contract/images/checksum.ts'
import { CommandFailure } from '../failure.ts'

export interface Digest {
  algorithm: 'sha256' | 'sha512'
  /** Lower-case hexadecimal. */
  value: string
}

const isUrl = (text: string) => /^https?:\/\//.test(text)

/** The digest that the image's stored bytes must have. `fetchText` reads a checksum file, where a URL stands for one. */
export async function expectedDigest(image: ImageInfo, fetchText: (url: string) => Promise<string>): Promise<Digest> {
  const named = image.os_hash_algo?.toLowerCase()
  const given = image.os_hash_value ?? image.checksum
  if (!given) throw refused(image, 'it has no checksum: give os_hash_algo and os_hash_value')
  if (image.os_hash_value && named !== 'sha256' && named !== 'sha512')
    throw refused(image, `its os_hash_algo is ${named ?? 'missing'}; sha256 and sha512 are supported`)
  const name = fileNameIn(image.urls[0] ?? 'http://none/')
  const found = isUrl(given) ? digestInFile(await fetchText(given), name) : readDigest(given)
  if (found === undefined && isUrl(given)) throw refused(image, `the checksum file does not name ${name}`)
  if (found === undefined || found.algorithm === 'md5')
    throw refused(image, 'its checksum is neither a SHA-256 nor a SHA-512 in hexadecimal; MD5 is not supported')
  const { algorithm, value } = found
  if (image.os_hash_value && algorithm !== named)
    throw refused(image, `its os_hash_algo is ${named}, but its os_hash_value has the length of a ${algorithm}`)
  return { algorithm, value }
}

function refused(image: ImageInfo, why: string): CommandFailure {
  return new CommandFailure('ImageChecksumError', `image ${image.id} cannot be verified: ${why}`)
}
