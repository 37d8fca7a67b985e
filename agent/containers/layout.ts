import { createHash } from 'node:crypto'
import { mkdir, open, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Container, ContainerBlob } from '../../contract/container.ts'
import { CommandFailure } from '../failure.ts'
import { download, type Downloading } from '../image/download.ts'

/** An OCI image layout (OCI Image Format Specification, image-layout.md) of what a site has of a container: what installers take for the
 * source of an image, without any registry. */

export function blobPath(folder: string, digest: string): string {
  return join(folder, 'blobs', digest.replace(':', '/'))
}

export async function makeLayout(
  { manifest, config, layers }: Container,
  folder: string,
  means: Downloading,
  received: (bytes: number) => void,
): Promise<void> {
  await mkdir(folder, { recursive: true })
  const blobs = [...new Map([manifest, config, ...layers].map((blob) => [blob.digest, blob])).values()]
  for (const blob of blobs) await fetchBlob(blob, blobPath(folder, blob.digest), means, received)
  const { digest, size, media_type: mediaType } = manifest
  await writeFile(join(folder, 'oci-layout'), JSON.stringify({ imageLayoutVersion: '1.0.0' }))
  await writeFile(
    join(folder, 'index.json'),
    JSON.stringify({ schemaVersion: 2, manifests: [{ mediaType, digest, size }] }),
  )
}

async function fetchBlob(
  { digest, size, url }: ContainerBlob,
  path: string,
  means: Downloading,
  received: (bytes: number) => void,
): Promise<void> {
  const [algorithm = '', expected = ''] = digest.split(':')
  const hash = createHash(algorithm)
  await mkdir(join(path, '..'), { recursive: true })
  await using file = await open(path, 'wx')
  let length = 0
  for await (const bytes of download({ id: digest, urls: [url] }, means)) {
    length += bytes.length
    if (length > size) throw wrong(digest, `has more than the ${size} bytes that its manifest says`)
    hash.update(bytes)
    await file.writeFile(bytes).catch(noRoom)
    received(bytes.length)
  }
  const actual = hash.digest('hex')
  if (length !== size || actual !== expected) throw wrong(digest, `came as ${length} bytes of ${algorithm}:${actual}`)
}

export function wrong(digest: string, what: string): CommandFailure {
  return new CommandFailure('ImageChecksumError', `${digest} of the container ${what}`)
}

/** It is all in memory, as with podman in a ramdisk. */
export function noRoom(error: unknown): never {
  const full = (error as { code?: unknown }).code === 'ENOSPC' || /No space left/i.test(String(error))
  if (!full) throw error
  throw new CommandFailure(
    'ImageWriteError',
    'the container does not fit into the memory of the machine, packed and unpacked',
    { cause: error },
  )
}
