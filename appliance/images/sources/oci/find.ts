import { readFile } from 'node:fs/promises'
import { basicCredentials, IMAGE_PULL_SECRET, type RemoteImage } from '../../../../contract/images/remote.ts'
import type { Machine } from '../../../../contract/plan.ts'
import { sha256Of } from '../../../../contract/images/manifest.ts'
import { HardwareError } from '../../../hardware-error.ts'
import type { FoundImage } from '../../images.ts'
import type { Finding } from '../find.ts'
import { fetchPatiently } from '../patiently.ts'
import { choose, document, type Document, fileOf, LARGEST_MANIFEST, MANIFEST_TYPES } from './manifest.ts'
import { type Reference, readReference } from './reference.ts'
import { registryFetch } from './registry.ts'

/** An index may list indexes; more than this is a riddle. */
const MOST_DEEP = 3

/** A disk image in a container registry: from tag or digest over index and manifest to one blob, each known by the digest in the one before. */
export async function findInRegistry(image: RemoteImage, text: string, means: Finding): Promise<FoundImage> {
  const repository = await openRepository(image.name, text, means)
  const { base, get } = repository
  const { blob, format } = await fileBehind(image, repository, means.arch)
  const [algorithm, value = ''] = blob.digest.split(':')
  return {
    name: image.name,
    size: blob.size,
    disk_format: image.disk_format ?? format ?? null,
    os_hash_algo: algorithm as 'sha256' | 'sha512',
    os_hash_value: value,
    isPacked: true,
    url: `${base}/blobs/${blob.digest}`,
    get,
  }
}

export interface Repository {
  reference: Reference
  /** URL of it. */
  base: string
  get: typeof fetch
  /** By tag or digest. */
  manifest(wanted: string): Promise<Document & { digest: string; size: number }>
}

export async function openRepository(name: string, text: string, means: Finding): Promise<Repository> {
  const reference = readReference(text)
  const { registry, repository } = reference
  const get = registryFetch({
    name: registry,
    repository,
    credentials: await credentialsFor(registry, means),
    get: means.get,
  })
  const scheme = means.config.oci_http_registries.includes(registry) ? 'http' : 'https'
  const base = `${scheme}://${registry}/v2/${repository}`
  return {
    reference,
    base,
    get,
    manifest: (wanted) => manifestAt(name, `${base}/manifests/${wanted}`, wanted, { ...means, get }),
  }
}

async function fileBehind(image: RemoteImage, { reference, manifest }: Repository, arch: Machine['cpu_arch']) {
  let said: 'raw' | 'qcow2' | undefined
  let wanted = reference.digest ?? reference.tag
  for (let depth = 0; depth < MOST_DEEP; depth += 1) {
    const found = await manifest(wanted)
    if (found.kind === 'manifest') {
      const { blob, format } = fileOf(image.name, found)
      return { blob, format: said ?? format }
    }
    const choice = choose(found.manifests, arch)
    if (choice === undefined)
      throw new HardwareError(`image ${image.name} can't be used: its index lists no raw or qcow2 disk for ${arch}`)
    said = choice.format ?? said
    wanted = choice.digest
  }
  throw new HardwareError(`image ${image.name} can't be used: its indexes are nested more than ${MOST_DEEP} deep`)
}

async function manifestAt(name: string, url: string, wanted: string, means: Finding) {
  const headers = { accept: MANIFEST_TYPES.join(', ') }
  const { bytes } = await fetchPatiently(
    `the manifest of image ${name}`,
    { url, headers, limit: LARGEST_MANIFEST },
    means,
  )
  const digest = `sha256:${sha256Of(bytes)}`
  if (wanted.startsWith('sha256:') && digest !== wanted)
    throw new HardwareError(`image ${name} can't be used: for manifest ${wanted} its registry gives ${digest}`)
  const parsed = document.safeParse(json(bytes))
  if (parsed.success) return { ...parsed.data, digest, size: bytes.length }
  throw new HardwareError(`image ${name} can't be used: its manifest is neither an OCI index nor an OCI manifest`)
}

/** The node's own, else the site's. */
async function credentialsFor(registry: string, { secret, config }: Finding): Promise<string | undefined> {
  const own = secret(IMAGE_PULL_SECRET)
  if (own !== undefined) {
    const basic = basicCredentials(own)
    if (basic !== undefined) return basic
    throw new HardwareError(`${IMAGE_PULL_SECRET} of the node is neither USER:PASSWORD nor the base64 of that`)
  }
  const path = config.oci_authentication_config
  if (path === undefined) return undefined
  const text = await readFile(path).catch(() => undefined)
  if (text === undefined) throw new HardwareError(`oci_authentication_config ${path} of this appliance can't be read`)
  const auths = (json(text) as { auths?: Record<string, { auth?: unknown }> } | undefined)?.auths
  const auth = auths?.[registry]?.auth
  return typeof auth === 'string' ? basicCredentials(auth) : undefined
}

function json(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8')) as unknown
  } catch {
    return undefined
  }
}
