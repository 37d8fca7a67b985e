import { HardwareError } from '../../../hardware-error.ts'
import type { RemoteImage } from '../../../../contract/images/remote.ts'
import { type ContainerBlob, MOST_LAYERS } from '../../../../contract/container.ts'
import type { Finding } from '../find.ts'
import { openRepository, type Repository } from './find.ts'
import { chooseContainer, type Descriptor, type Manifest, MANIFEST_TYPES } from './manifest.ts'

/** What a container image consists of, in its registry. */
export interface FoundContainer {
  reference: string
  manifest: Piece
  config: Piece
  layers: Piece[]
}
export interface Piece extends Omit<ContainerBlob, 'url'> {
  url: string
  get: typeof fetch
}

/** From tag or digest over index and manifest to its layers, each known by the digest in the one before. */
export async function findContainer(image: RemoteImage, text: string, means: Finding): Promise<FoundContainer> {
  const repository = await openRepository(image.name, text, means)
  const { reference } = repository
  const found = await containerManifest(repository, means.arch)
  if (found === undefined)
    throw new HardwareError(`image ${image.name} can't be used: its index lists no container for ${means.arch}`)
  if (found.kind === 'index') throw new HardwareError(`image ${image.name} can't be used: its index lists an index`)
  const { config, layers } = found
  if (!config || layers.length === 0 || layers.length > MOST_LAYERS)
    throw new HardwareError(`image ${image.name} can't be used: it is no container of 1 to ${MOST_LAYERS} layers`)
  const name = `${reference.registry}/${reference.repository}`
  return {
    reference: reference.digest === undefined ? `${name}:${reference.tag}` : `${name}@${reference.digest}`,
    manifest: manifestPiece(found, repository),
    config: blob(config, repository),
    layers: layers.map((layer) => blob(layer, repository)),
  }
}

/** For this machine; undefined where an index lists none. */
export async function containerManifest({ reference, manifest }: Repository, arch: Finding['arch']) {
  const found = await manifest(reference.digest ?? reference.tag)
  if (found.kind !== 'index') return found
  const choice = chooseContainer(found.manifests, arch)
  return choice === undefined ? undefined : manifest(choice)
}

function blob({ digest, size, mediaType }: Descriptor, { base, get }: Repository): Piece {
  return { digest, size, media_type: mediaType ?? '', url: `${base}/blobs/${digest}`, get }
}

/** A registry gives a manifest in the form that it is asked for. */
function manifestPiece(found: Manifest & { digest: string; size: number }, { base, get }: Repository): Piece {
  const { digest, size, mediaType } = found
  return {
    digest,
    size,
    media_type: mediaType ?? 'application/vnd.oci.image.manifest.v1+json',
    url: `${base}/manifests/${digest}`,
    get: (url, init) => {
      const headers = new Headers(init?.headers)
      headers.set('accept', MANIFEST_TYPES.join(', '))
      return get(url, { ...init, headers })
    },
  }
}
