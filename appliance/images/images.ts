import type { Container } from '../../contract/container.ts'
import type { DigestAlgorithm } from '../../contract/images/checksum.ts'
import type { RemoteImage } from '../../contract/images/remote.ts'
import type { ConfigDriveReference, ImageReference, InstanceFile, WantedImage } from '../../contract/plan-sources.ts'

/** The site's images, as steps need them. */
export type Images = ImagesOf<WantedImage> & {
  /** Brings a container image of a registry here, verified, and says where this plan's agent gets it. Rejects with HardwareError. */
  container(image: RemoteImage, options: FetchOptions & { progress(percent: number): void }): Promise<Container>
  /** Whether it is a container that boots, by what its registry says. Rejects with HardwareError. */
  isBootable(image: RemoteImage, options: FetchOptions): Promise<boolean>
}
/** Those whose bytes and digest are known. */
export type KnownImages = ImagesOf<ImageReference | FoundImage>

interface ImagesOf<Image> {
  /** Brings the image here, verified and raw, and says where this plan's agent gets it. Rejects with HardwareError. */
  fetch(image: Image, options: FetchOptions & { progress(percent: number): void }): Promise<ServedImage>
  /** Reads what is here of the image again, which an agent could not use: true where it is what was ordered; else it is gone from here, and the
   * next fetch brings it anew. */
  isSound(image: Image, options: Pick<FetchOptions, 'commandOf' | 'signal'>): Promise<boolean>
  /** Base64 of a gzipped ISO 9660 image, verified where its digest is known. Rejects with HardwareError. */
  configDrive(drive: ConfigDriveReference, options: FetchOptions): Promise<string>
  /** Brings a file that is booted here, verified where its digest is known, and says its name in the cache, where it stays while the
   * plan is open. Rejects with HardwareError. */
  file(wanted: InstanceFile, what: string, options: FetchOptions & { progress(percent: number): void }): Promise<string>
  /** A short text, verified where its digest is known, as UTF-8. Rejects with HardwareError. */
  text(wanted: InstanceFile, what: string, most: number, options: FetchOptions): Promise<string>
  /** The plan has ended: what people put into its config drive leaves this site's disk. */
  release(plan: string): Promise<void>
}

export interface FetchOptions {
  /** Id of the plan: whose command is asked to be published again when its URLs have expired. */
  commandOf: string
  signal: AbortSignal
  /** Told when a transfer is held up by something that may pass. */
  trouble(text: string): void
}

/** An image in one file that the site itself has found. */
export interface FoundImage {
  name: string
  size: number | null
  /** null: as it begins. */
  disk_format: 'raw' | 'qcow2' | null
  os_hash_algo: DigestAlgorithm
  os_hash_value: string
  /** It may be packed by gzip or zstd, and the digest is of what is packed. */
  isPacked: boolean
  url: string
  get: typeof fetch
  /** The machine is to get it itself, with this of `Basic`. */
  direct?: { basic: string | undefined }
}

export interface ServedImage {
  /** The whole disk. */
  url: string
  /** The signed manifest of an image in chunks; its pages and chunks are beside it. */
  manifest?: string
  algorithm: string
  digest: string
  /** Of one in chunks that agents may give to each other. */
  peerToken?: string | undefined
  /** Of one that doesn't come from here, which is as its server has it. */
  elsewhere?: { format: 'raw' | 'qcow2'; basic: string | undefined }
}
