import type { ContainerBlob } from '../../../contract/container.ts'
import type { RemoteImage } from '../../../contract/images/remote.ts'
import type { Machine } from '../../../contract/plan.ts'
import type { WantedImage } from '../../../contract/plan-sources.ts'
import { type FetchOptions, type FoundImage, type Images, type KnownImages, type ServedImage } from '../images.ts'
import { HardwareError } from '../../hardware-error.ts'
import { isBootable } from './oci/bootable.ts'
import { findContainer, type Piece } from './oci/container.ts'
import { type Finding, findRemote, type SourcesConfig } from './find.ts'

export interface RemoteParts {
  config: SourcesConfig
  clock: Finding['clock']
  get: typeof fetch
  /** Of the plan, which is open. */
  machine(plan: string): Machine | undefined
  /** The secret of that key, opened. */
  secretOf(machine: Machine, key: string): string | undefined
}

/** Images that the cloud knows, and others, each of which is looked up once for a plan. */
export function withRemote(known: KnownImages, parts: RemoteParts): Images {
  const found = new Map<string, { work: Promise<FoundImage>; troubled: Set<(text: string) => void> }>()

  const bootable = new Map<string, Promise<boolean>>()

  function finding({ commandOf: plan, signal, trouble }: FetchOptions): Finding {
    const machine = parts.machine(plan)
    const { config, clock, get } = parts
    const arch = machine?.cpu_arch ?? 'x86_64'
    return { config, clock, get, signal, trouble, arch, secret: (key) => machine && parts.secretOf(machine, key) }
  }

  function find(image: RemoteImage, options: FetchOptions): Promise<FoundImage> {
    const { commandOf: plan, trouble } = options
    const earlier = found.get(plan)
    earlier?.troubled.add(trouble)
    if (earlier) return earlier.work
    const troubled = new Set([trouble])
    const work = findRemote(image, finding({ ...options, trouble: (text) => troubled.forEach((tell) => tell(text)) }))
    found.set(plan, { work, troubled })
    work.catch(() => found.delete(plan))
    return work
  }

  return {
    ...known,
    async fetch(image, options) {
      if (!isRemote(image)) return known.fetch(image, options)
      const whole = await find(image, options)
      return elsewhere(whole) ?? known.fetch(whole, options)
    },
    async isSound(image, options) {
      if (!isRemote(image)) return known.isSound(image, options)
      const whole = await found.get(options.commandOf)?.work.catch(() => undefined)
      return whole === undefined || whole.direct !== undefined || known.isSound(whole, options)
    },
    async container(image, options) {
      if (image.place.kind !== 'oci') throw new HardwareError(`image ${image.name} is no container of a registry`)
      const whole = await findContainer(image, image.place.reference, finding(options))
      const pieces = [whole.manifest, whole.config, ...whole.layers]
      const sum = pieces.reduce((bytes, { size }) => bytes + size, 0)
      let done = 0
      const bring = async ({ get, ...piece }: Piece): Promise<ContainerBlob> => {
        const share = (percent: number): void => options.progress(((done + (piece.size * percent) / 100) / sum) * 100)
        const { url } = await known.fetch(asFile(image.name, { ...piece, get }), { ...options, progress: share })
        done += piece.size
        return { ...piece, url }
      }
      const layers: ContainerBlob[] = []
      for (const layer of whole.layers) layers.push(await bring(layer))
      const [manifest, config] = [await bring(whole.manifest), await bring(whole.config)]
      return { reference: whole.reference, manifest, config, layers }
    },
    isBootable(image, options) {
      if (image.place.kind !== 'oci') return Promise.resolve(false)
      const { commandOf: plan } = options
      const earlier = bootable.get(plan)
      if (earlier) return earlier
      const answer = isBootable(image, image.place.reference, finding(options))
      bootable.set(plan, answer)
      answer.catch(() => bootable.delete(plan))
      return answer
    },
    async release(plan) {
      found.delete(plan)
      bootable.delete(plan)
      await known.release(plan)
    },
  }
}

/** As it is, whatever it holds. */
function asFile(name: string, { digest, size, url, get }: Piece): FoundImage {
  const [algorithm, value = ''] = digest.split(':')
  return {
    name: `${name}, ${digest.slice(0, 19)}`,
    size,
    disk_format: 'raw',
    os_hash_algo: algorithm as 'sha256' | 'sha512',
    os_hash_value: value,
    isPacked: false,
    url,
    get,
  }
}

export const isRemote = (image: WantedImage): image is RemoteImage => 'place' in image

/** Straight from its server to the machine; an agent knows no MD5, so that such an image goes by way of the site. */
function elsewhere({ direct, url, os_hash_algo, os_hash_value, disk_format }: FoundImage): ServedImage | undefined {
  if (direct === undefined || os_hash_algo === 'md5') return undefined
  const { basic } = direct
  return { url, algorithm: os_hash_algo, digest: os_hash_value, elsewhere: { format: disk_format ?? 'raw', basic } }
}
