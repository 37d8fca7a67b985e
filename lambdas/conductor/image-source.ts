import { UserError } from '../../contract/api/faults.ts'
import type { ConductorOptions } from '../../contract/conductor-options.ts'
import { type DigestAlgorithm, digestAlgorithm, digestLength, readDigest } from '../../contract/images/checksum.ts'
import { manifestBlob } from '../../contract/images/manifest.ts'
import { IMAGE_AUTHORIZATION, ociReference, type RemoteImage } from '../../contract/images/remote.ts'
import type { ImageReference, WantedImage } from '../../contract/plan-sources.ts'
import type { Image, Node } from '../../contract/resources.ts'
import type { Table } from '../platform.ts'
import { findImage, imageBlob } from '../store/images.ts'

type Info = Record<string, unknown>
type Options = Pick<ConductorOptions, 'allow_md5_checksum'>

/** The image that instance_info names, one of ours by name or uuid, or any that the site can find (reference §4.4, §5.3). UserError says
 * what is missing. */
export async function resolveImage(
  table: Table,
  { instance_info: info, driver_info: driverInfo }: Pick<Node, 'instance_info' | 'driver_info'>,
  options: Options,
): Promise<WantedImage> {
  const source = info['image_source']
  if (typeof source !== 'string' || source === '')
    throw new UserError(400, 'instance_info lacks image_source: the name of an image, or an http(s), file or oci URL.')
  if (/^https?:\/\//i.test(source)) return web(source, info, driverInfo, options)
  if (source.startsWith('file://')) return local(source, info, options)
  if (source.startsWith('oci://')) return registry(source, info)
  if (source.includes('://'))
    throw new UserError(400, `image_source '${source}': only http, https, file and oci are fetched.`)
  const image = await findImage(table, source)
  if (!image) throw new UserError(400, `Image ${source} could not be found.`)
  if (image.state !== 'active')
    throw new UserError(400, `Image ${source} is not complete: its upload has not been confirmed.`)
  return stored(image)
}

export function stored(image: Image): ImageReference {
  const { manifest } = image
  return {
    name: image.name,
    source: { kind: 'blob', key: manifest ? manifestBlob(image.uuid) : imageBlob(image.uuid) },
    ...(manifest && { manifest: { size: manifest.size, sha256: manifest.sha256 } }),
    size: image.size,
    disk_format: image.disk_format,
    os_hash_algo: image.os_hash_algo,
    os_hash_value: image.os_hash_value,
  }
}

function web(url: string, info: Info, driverInfo: Info, options: Options): WantedImage {
  if (!URL.canParse(url) || url.length > 2048) throw new UserError(400, `image_source '${url}' is not a URL.`)
  const { username, password, pathname } = new URL(url)
  if (username !== '' || password !== '')
    throw new UserError(
      400,
      `image_source contains a password, which everybody would see: put USER:PASSWORD into instance_info/${IMAGE_AUTHORIZATION}.`,
    )
  const format = diskFormat(info) ?? (pathname.endsWith('.qcow2') ? 'qcow2' : 'raw')
  const checksum = checksumOf(url, info, options)
  if (checksum === null)
    throw new UserError(
      400,
      `Image ${url} needs image_checksum, or image_os_hash_algo and image_os_hash_value, in instance_info.`,
    )
  const direct = downloadSource(info, driverInfo) === 'http'
  const isPlain = !direct && info[IMAGE_AUTHORIZATION] === undefined && driverInfo[IMAGE_AUTHORIZATION] === undefined
  if (isPlain && 'value' in checksum && checksum.algorithm !== 'md5')
    return {
      name: url,
      source: { kind: 'url', url },
      size: null,
      disk_format: format,
      os_hash_algo: checksum.algorithm,
      os_hash_value: checksum.value,
    }
  return {
    name: url,
    place: { kind: 'http', url },
    disk_format: format,
    checksum,
    allow_md5: options.allow_md5_checksum,
    ...(direct && { direct }),
  }
}

/** The site says whether it may be read. */
function local(source: string, info: Info, options: Options): RemoteImage {
  const url = URL.canParse(source) ? new URL(source) : undefined
  const path = url && decoded(url.pathname)
  if (url?.host !== '' || path === undefined || !path.startsWith('/') || path.includes('\0') || path.length > 2048)
    throw new UserError(400, `image_source '${source}' is not of the form file:///PATH.`)
  return {
    name: source,
    place: { kind: 'file', path },
    disk_format: diskFormat(info) ?? null,
    checksum: checksumOf(source, info, options),
    allow_md5: options.allow_md5_checksum,
  }
}

/** Its digests are the registry's own, as with Ironic: image_checksum says nothing here. */
function registry(source: string, info: Info): RemoteImage {
  const reference = ociReference.safeParse(source)
  if (!reference.success)
    throw new UserError(400, `image_source '${source}' ${reference.error.issues[0]?.message ?? 'is malformed'}.`)
  return {
    name: source,
    place: { kind: 'oci', reference: reference.data },
    disk_format: diskFormat(info) ?? null,
    checksum: null,
    allow_md5: false,
  }
}

function diskFormat({ image_disk_format: format }: Info): 'raw' | 'qcow2' | undefined {
  if (format === undefined || format === null) return undefined
  if (format === 'raw' || format === 'qcow2') return format
  throw new UserError(400, `image_disk_format ${JSON.stringify(format)} is neither raw nor qcow2.`)
}

function downloadSource(info: Info, driverInfo: Info): 'http' | 'local' {
  const asked = info['image_download_source'] ?? driverInfo['image_download_source'] ?? 'local'
  if (asked === 'http' || asked === 'local') return asked
  throw new UserError(
    400,
    `image_download_source ${JSON.stringify(asked)} is neither local (through the site's cache) nor http (straight to the machine).`,
  )
}

function checksumOf(url: string, info: Info, options: Options): RemoteImage['checksum'] {
  const { image_os_hash_value: value, image_os_hash_algo: algorithm, image_checksum: checksum } = info
  const given = value ?? checksum
  if (given === undefined || given === null) return null
  if (typeof given === 'string' && value === undefined && /^https?:\/\//i.test(given)) {
    if (!URL.canParse(given) || given.length > 2048)
      throw new UserError(400, `image_checksum '${given}' is not the URL of a checksum file.`)
    return { url: given }
  }
  const found = typeof given === 'string' ? readDigest(given) : undefined
  if (found === undefined || (value !== undefined && found.algorithm !== named(algorithm)))
    throw new UserError(
      400,
      `The checksum of image ${url} is not a sha256 or sha512 in hexadecimal digits, nor the URL of a checksum file.`,
    )
  if (found.algorithm === 'md5' && !options.allow_md5_checksum)
    throw new UserError(
      400,
      `The checksum of image ${url} has the ${digestLength.md5} digits of an MD5, which proves nothing any more: give its sha256 or sha512 (or set the option allow_md5_checksum).`,
    )
  return found
}

function named(algorithm: unknown): DigestAlgorithm | undefined {
  return digestAlgorithm.safeParse(typeof algorithm === 'string' ? algorithm.toLowerCase() : algorithm).data
}

function decoded(path: string): string | undefined {
  try {
    return decodeURIComponent(path)
  } catch {
    return undefined
  }
}
