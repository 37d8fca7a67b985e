import { UserError } from '../../contract/api/faults.ts'
import { manifestBlob } from '../../contract/images/manifest.ts'
import type { ImageReference } from '../../contract/plan.ts'
import type { Image } from '../../contract/resources.ts'
import type { Table } from '../platform.ts'
import { findImage, imageBlob } from '../store/images.ts'

type Info = Record<string, unknown>

/** The image that instance_info names: one of ours by name or uuid, or any that is to be had over http(s) and has a digest to be held
 * to. UserError says what is missing. */
export async function resolveImage(table: Table, info: Info): Promise<ImageReference> {
  const source = info['image_source']
  if (typeof source !== 'string' || source === '')
    throw new UserError(400, 'instance_info lacks image_source: the name of an image, or an http(s) URL.')
  if (/^https?:\/\//i.test(source)) return remote(source, info)
  if (source.includes('://')) throw new UserError(400, `image_source '${source}': only http and https are fetched.`)
  const image = await findImage(table, source)
  if (!image) throw new UserError(400, `Image ${source} could not be found.`)
  if (image.state !== 'active')
    throw new UserError(400, `Image ${source} is not complete: its upload has not been confirmed.`)
  return stored(image)
}

function stored(image: Image): ImageReference {
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

function remote(url: string, info: Info): ImageReference {
  if (!URL.canParse(url) || url.length > 2048) throw new UserError(400, `image_source '${url}' is not a URL.`)
  return {
    name: url,
    source: { kind: 'url', url },
    size: null,
    disk_format: diskFormat(url, info),
    ...digest(url, info),
  }
}

function diskFormat(url: string, { image_disk_format: format }: Info): 'raw' | 'qcow2' {
  if (format === undefined || format === null) return new URL(url).pathname.endsWith('.qcow2') ? 'qcow2' : 'raw'
  if (format === 'raw' || format === 'qcow2') return format
  throw new UserError(400, `image_disk_format ${JSON.stringify(format)} is neither raw nor qcow2.`)
}

const hexDigits = { sha256: 64, sha512: 128 } as const
type Algorithm = keyof typeof hexDigits

function digest(url: string, info: Info): Pick<ImageReference, 'os_hash_algo' | 'os_hash_value'> {
  const given = info['image_os_hash_value'] ?? info['image_checksum']
  if (typeof given !== 'string')
    throw new UserError(
      400,
      `Image ${url} needs image_checksum, or image_os_hash_algo and image_os_hash_value, in instance_info.`,
    )
  const value = given.toLowerCase()
  const algorithms = Object.keys(hexDigits) as Algorithm[]
  const byLength = algorithms.find((each) => hexDigits[each] === value.length)
  const named = info['image_os_hash_value'] === undefined ? byLength : info['image_os_hash_algo']
  if (!/^[0-9a-f]+$/.test(value) || byLength === undefined || named !== byLength)
    throw new UserError(400, `The checksum of image ${url} is not a sha256 or sha512 in hexadecimal digits.`)
  return { os_hash_algo: byLength, os_hash_value: value }
}
