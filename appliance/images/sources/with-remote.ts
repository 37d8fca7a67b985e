import type { RemoteImage } from '../../../contract/images/remote.ts'
import type { Machine, WantedImage } from '../../../contract/plan.ts'
import { type FetchOptions, type FoundImage, type Images, type KnownImages, type ServedImage } from '../images.ts'
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

  function find(image: RemoteImage, { commandOf: plan, signal, trouble }: FetchOptions): Promise<FoundImage> {
    const earlier = found.get(plan)
    earlier?.troubled.add(trouble)
    if (earlier) return earlier.work
    const troubled = new Set([trouble])
    const machine = parts.machine(plan)
    const { config, clock, get } = parts
    const work = findRemote(image, {
      config,
      clock,
      get,
      signal,
      trouble: (text) => troubled.forEach((tell) => tell(text)),
      arch: machine?.cpu_arch ?? 'x86_64',
      secret: (key) => machine && parts.secretOf(machine, key),
    })
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
    async release(plan) {
      found.delete(plan)
      await known.release(plan)
    },
  }
}

const isRemote = (image: WantedImage): image is RemoteImage => 'place' in image

/** Straight from its server to the machine; an agent knows no MD5, so that such an image goes by way of the site. */
function elsewhere({ direct, url, os_hash_algo, os_hash_value, disk_format }: FoundImage): ServedImage | undefined {
  if (direct === undefined || os_hash_algo === 'md5') return undefined
  const { basic } = direct
  return { url, algorithm: os_hash_algo, digest: os_hash_value, elsewhere: { format: disk_format ?? 'raw', basic } }
}
