import { basicCredentials, IMAGE_AUTHORIZATION, type RemoteImage } from '../../../contract/images/remote.ts'
import { HardwareError } from '../../hardware-error.ts'
import type { FoundImage } from '../images.ts'
import { digestAskedFor } from './checksum.ts'
import type { Finding } from './find.ts'

/** An image on a web server, perhaps for those only who have a password (RFC 7617). */
export async function findOnWeb(image: RemoteImage, url: string, means: Finding): Promise<FoundImage> {
  const secret = means.secret(IMAGE_AUTHORIZATION)
  const basic = secret === undefined ? undefined : basicCredentials(secret)
  if (secret !== undefined && basic === undefined)
    throw new HardwareError(`${IMAGE_AUTHORIZATION} of the node is neither USER:PASSWORD nor the base64 of that`)
  const headers: Record<string, string> = basic === undefined ? {} : { authorization: `Basic ${basic}` }
  const digest = await digestAskedFor(image, url, means, headers)
  if (digest === undefined) throw new HardwareError(`image ${image.name} has no checksum to be held to`)
  return {
    name: image.name,
    size: null,
    disk_format: image.disk_format,
    os_hash_algo: digest.algorithm,
    os_hash_value: digest.value,
    isPacked: false,
    url,
    // What is given on to another server is for us alone: fetch itself drops it there.
    get: (asked, init) => means.get(asked, { ...init, headers: { ...(init?.headers as object), ...headers } }),
    ...(image.direct && { direct: { basic } }),
  }
}
