import { digestInFile, fileNameIn, type KnownDigest, LARGEST_CHECKSUM_FILE } from '../../../contract/images/checksum.ts'
import type { RemoteImage } from '../../../contract/images/remote.ts'
import { HardwareError } from '../../hardware-error.ts'
import { fetchPatiently, type Patience } from './patiently.ts'

/** What the image must have, as given or as its checksum file says; undefined where nothing was asked for. */
export async function digestAskedFor(
  { name, checksum, allow_md5: allowMd5 }: RemoteImage,
  url: string,
  means: Patience,
  headers: Record<string, string> = {},
): Promise<KnownDigest | undefined> {
  if (checksum === null || 'value' in checksum) return checksum ?? undefined
  // What an image's server is shown is nothing for another one.
  const own = new URL(checksum.url).origin === new URL(url).origin ? headers : {}
  const asked = { url: checksum.url, headers: own, limit: LARGEST_CHECKSUM_FILE }
  const { bytes } = await fetchPatiently(`the checksum file of image ${name}`, asked, means)
  const called = fileNameIn(url)
  const { origin, pathname } = new URL(checksum.url)
  const found = digestInFile(bytes.toString('utf8'), called)
  if (!found)
    throw new HardwareError(`the checksum file ${origin}${pathname} has no MD5, SHA-256 or SHA-512 of ${called}`)
  if (found.algorithm === 'md5' && !allowMd5)
    throw new HardwareError(
      `the checksum file ${origin}${pathname} has only an MD5 of ${called}, which proves nothing any more: name one with SHA-256, or set the option allow_md5_checksum`,
    )
  return found
}
