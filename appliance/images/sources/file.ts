import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { open, realpath } from 'node:fs/promises'
import { join, sep } from 'node:path'
import { Readable } from 'node:stream'
import type { RemoteImage } from '../../../contract/images/remote.ts'
import { HardwareError } from '../../hardware-error.ts'
import type { FoundImage } from '../images.ts'
import { digestAskedFor } from './checksum.ts'
import type { Finding } from './find.ts'

/** A file of this appliance's, in one of the folders that its configuration allows: all else here is nobody's image (CVE-2024-47211 was such a
 * reader without bounds). It goes through the cache as what comes over the WAN does, so that whoever replaces it changes no deploy. */
export async function findFile(image: RemoteImage, path: string, means: Finding): Promise<FoundImage> {
  const real = await allowed(image.name, path, means.config.file_url_allowed_paths)
  const url = `file://${encodeURI(path)}`
  const digest = (await digestAskedFor(image, url, means)) ?? {
    algorithm: 'sha256' as const,
    value: await sha256Of(real, means.signal),
  }
  return {
    name: image.name,
    size: null,
    disk_format: image.disk_format,
    os_hash_algo: digest.algorithm,
    os_hash_value: digest.value,
    isPacked: false,
    url,
    get: (_url, init) => readAsFetched(real, new Headers(init?.headers).get('range')),
  }
}

async function allowed(name: string, path: string, folders: readonly string[]): Promise<string> {
  const refused = new HardwareError(
    `image ${name} is in none of the folders whose files may be deployed here (${folders.join(', ') || 'none'}): move it, or name its folder in file_url_allowed_paths of the appliance's configuration`,
  )
  // Before anything is looked at: what is outside is not even told to exist.
  if (!folders.some((folder) => within(join(path), folder))) throw refused
  const real = await realpath(path).catch(() => undefined)
  if (real === undefined) throw new HardwareError(`image ${name} is not on this appliance: there is no ${path}`)
  const roots = await Promise.all(folders.map((folder) => realpath(folder).catch(() => folder)))
  if (!roots.some((root) => within(real, root))) throw refused
  const file = await open(real, 'r')
  try {
    if (!(await file.stat()).isFile()) throw new HardwareError(`image ${name} can't be read: ${path} is no file`)
  } finally {
    await file.close()
  }
  return real
}

function within(path: string, folder: string): boolean {
  return path.startsWith(folder.endsWith(sep) ? folder : folder + sep)
}

/** The file, as a web server would give it: the rest of the way is the same for all images. */
async function readAsFetched(path: string, range: string | null): Promise<Response> {
  const file = await open(path, 'r')
  const { size } = await file.stat()
  const from = Number(/^bytes=(\d+)-$/.exec(range ?? '')?.[1] ?? 0)
  if (from >= size && from > 0) {
    await file.close()
    return new Response(null, { status: 416 })
  }
  const stream = file.createReadStream({ start: from, highWaterMark: 1 << 20 })
  return new Response(Readable.toWeb(stream) as ReadableStream, {
    status: from > 0 ? 206 : 200,
    headers: {
      'content-length': String(size - from),
      ...(from > 0 && { 'content-range': `bytes ${from}-${size - 1}/${size}` }),
    },
  })
}

async function sha256Of(path: string, signal: AbortSignal): Promise<string> {
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20, signal })) hash.update(chunk as Buffer)
  return hash.digest('hex')
}
