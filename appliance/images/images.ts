import type { ConfigDriveReference, ImageReference, InstanceFile } from '../../contract/plan.ts'

/** The site's images, as steps need them. */
export interface Images {
  /** Brings the image here, verified and raw, and says where this plan's agent gets it. Rejects with HardwareError. */
  fetch(image: ImageReference, options: FetchOptions & { progress(percent: number): void }): Promise<ServedImage>
  /** Reads what is here of the image again, which an agent could not use: true where it is what was ordered; else it is gone from here, and the
   * next fetch brings it anew. */
  isSound(image: ImageReference, signal: AbortSignal): Promise<boolean>
  /** Base64 of a gzipped ISO 9660 image, verified where its digest is known. Rejects with HardwareError. */
  configDrive(drive: ConfigDriveReference, options: FetchOptions): Promise<string>
  /** Brings a file that is booted here, verified where its digest is known, and says its name in the cache, where it stays while the
   * plan is open. Rejects with HardwareError. */
  file(wanted: InstanceFile, what: string, options: FetchOptions & { progress(percent: number): void }): Promise<string>
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

export interface ServedImage {
  /** The whole disk. */
  url: string
  /** The signed manifest of an image in chunks; its pages and chunks are beside it. */
  manifest?: string
  algorithm: string
  digest: string
}
