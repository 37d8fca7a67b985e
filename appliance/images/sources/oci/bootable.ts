import { createHash } from 'node:crypto'
import { z } from 'zod'
import type { RemoteImage } from '../../../../contract/images/remote.ts'
import { HardwareError } from '../../../hardware-error.ts'
import type { Finding } from '../find.ts'
import { fetchPatiently } from '../patiently.ts'
import { containerManifest } from './container.ts'
import { openRepository } from './find.ts'
import { LARGEST_MANIFEST } from './manifest.ts'

/** Of containers; an artifact that is a disk has another, or an empty one (OCI Image Format Specification, § image manifest). */
const CONFIG_TYPES = ['application/vnd.oci.image.config.v1+json', 'application/vnd.docker.container.image.v1+json']
/** Those that bootc's own base images have. */
const LABELS = ['containers.bootc', 'ostree.bootable']
const labelled = z.looseObject({ config: z.looseObject({ Labels: z.record(z.string(), z.string()).nullish() }) })

/** Whether an image of a registry is a container that boots, by the labels in its configuration. */
export async function isBootable({ name }: RemoteImage, text: string, means: Finding): Promise<boolean> {
  const repository = await openRepository(name, text, means)
  const found = await containerManifest(repository, means.arch)
  if (found?.kind !== 'manifest' || !found.config) return false
  const { digest, mediaType, size } = found.config
  if (!CONFIG_TYPES.includes(mediaType ?? '') || size > LARGEST_MANIFEST) return false
  const { base, get } = repository
  const what = `the configuration of image ${name}`
  const wanted = { url: `${base}/blobs/${digest}`, limit: LARGEST_MANIFEST }
  const { bytes } = await fetchPatiently(what, wanted, { ...means, get })
  const [algorithm = '', hex] = digest.split(':')
  if (createHash(algorithm).update(bytes).digest('hex') !== hex)
    throw new HardwareError(`image ${name} can't be used: for its configuration ${digest} its registry gives another`)
  const labels = labelled.safeParse(json(bytes)).data?.config.Labels ?? {}
  return LABELS.some((label) => ['1', 'true'].includes(labels[label]?.toLowerCase() ?? ''))
}

function json(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8')) as unknown
  } catch {
    return undefined
  }
}
