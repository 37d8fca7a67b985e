import { z } from 'zod'
import type { Machine } from '../../../../contract/plan.ts'
import { HardwareError } from '../../../hardware-error.ts'

/** What a registry says of an image (OCI Image Format Specification, §§ image index, image manifest, descriptor), as far as it is needed to find
 * the one file that is a disk. */

/** The Distribution Specification's least limit of a registry. */
export const LARGEST_MANIFEST = 4 * 1024 * 1024
export const MANIFEST_TYPES = [
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
  'application/vnd.docker.distribution.manifest.v2+json',
]

const annotations = z.record(z.string().max(1024), z.string().max(65_536)).nullish()
const descriptor = z.looseObject({
  mediaType: z.string().max(255).nullish(),
  digest: z.string().regex(/^(sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$/, 'only sha256 and sha512 are known'),
  size: z.int().nonnegative(),
  annotations,
})
const listed = descriptor.extend({
  platform: z.looseObject({ architecture: z.string().max(255).nullish(), os: z.string().max(255).nullish() }).nullish(),
})
export const document = z.union([
  z
    .looseObject({ manifests: z.array(listed).max(10_000) })
    .transform(({ manifests }) => ({ kind: 'index' as const, manifests })),
  z
    .looseObject({
      mediaType: z.string().max(255).nullish(),
      config: descriptor.nullish(),
      layers: z.array(descriptor).max(10_000),
      annotations,
    })
    .transform(({ mediaType, config, layers, annotations: notes }) => ({
      kind: 'manifest' as const,
      mediaType,
      config,
      layers,
      annotations: notes,
    })),
])
export type Document = z.infer<typeof document>
export type Listed = z.infer<typeof listed>
export type Descriptor = z.infer<typeof descriptor>
export type Manifest = Extract<Document, { kind: 'manifest' }>

/** Registries have either name. */
const architectures: Record<Machine['cpu_arch'], readonly string[]> = {
  x86_64: ['amd64', 'x86_64'],
  aarch64: ['arm64', 'aarch64'],
}
const formats: Record<string, 'raw' | 'qcow2'> = { qcow2: 'qcow2', qemu: 'qcow2', raw: 'raw', applehv: 'raw' }

export interface Choice {
  digest: string
  /** As the index says; a manifest may not. */
  format: 'raw' | 'qcow2' | undefined
}

/** Of an index, the manifest for this machine: one that says that it is a disk comes before one that doesn't say, and qcow2 before raw, which is
 * longer. One of another kind of disk, or for another architecture, is none. */
export function choose(manifests: readonly Listed[], arch: Machine['cpu_arch']): Choice | undefined {
  const ranked = manifests.flatMap(({ digest, platform, annotations: notes }) => {
    const architecture = platform?.architecture ?? undefined
    const type = notes?.['disktype']
    const format = type === undefined ? undefined : formats[type.toLowerCase()]
    if (type !== undefined && format === undefined) return []
    if (architecture !== undefined && architecture !== 'unknown' && !architectures[arch].includes(architecture))
      return []
    const isNamed = architecture !== undefined && architecture !== 'unknown'
    return [{ digest, format, rank: (isNamed ? 4 : 0) + (format === 'qcow2' ? 2 : format === 'raw' ? 1 : 0) }]
  })
  return ranked.sort((a, b) => b.rank - a.rank)[0]
}

/** Of an index, the digest of the container for this machine. */
export function chooseContainer(manifests: readonly Listed[], arch: Machine['cpu_arch']): string | undefined {
  return manifests.find(
    ({ platform, annotations: notes }) =>
      notes?.['disktype'] === undefined &&
      (platform?.os ?? 'linux') === 'linux' &&
      architectures[arch].includes(platform?.architecture ?? ''),
  )?.digest
}

/** The one file of an artifact, and what it is said to be. */
export function fileOf(name: string, manifest: Manifest): { blob: Descriptor; format: 'raw' | 'qcow2' | undefined } {
  const [blob, ...others] = manifest.layers
  if (blob === undefined) throw new HardwareError(`image ${name} can't be used: its manifest names no file`)
  if (others.length > 0)
    throw new HardwareError(
      `image ${name} can't be used: it has ${manifest.layers.length} layers, as a container has; a disk image is one file (oras push -a disktype=qcow2 …)`,
    )
  const type = manifest.annotations?.['disktype'] ?? blob.annotations?.['disktype']
  const title = blob.annotations?.['org.opencontainers.image.title'] ?? ''
  const byTitle = /\.(qcow2|raw)(\.(gz|zst))?$/.exec(title)?.[1] as 'raw' | 'qcow2' | undefined
  return { blob, format: (type === undefined ? undefined : formats[type.toLowerCase()]) ?? byTitle }
}
