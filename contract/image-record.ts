/** What the image service keeps of an image beside its data: names are Glance's. An image that was pushed in chunks has none until somebody
 * changes one of these. */

export const imageVisibilities = ['public', 'private', 'shared', 'community'] as const
export type ImageVisibility = (typeof imageVisibilities)[number]
export const memberStatuses = ['pending', 'accepted', 'rejected'] as const

/** A project that an image is shared with. */
export interface ImageMember {
  project: string
  status: (typeof memberStatuses)[number]
  created_at: string
  updated_at: string
}

/** queued: no data yet; saving: they come now; uploading: they are staged; importing: they are fetched. */
export const recordStatuses = ['queued', 'saving', 'uploading', 'importing', 'active', 'deactivated'] as const

export interface ImageRecord {
  uuid: string
  name: string | null
  owner: string | null
  visibility: ImageVisibility
  protected: boolean
  hidden: boolean
  container_format: string | null
  disk_format: string | null
  min_disk: number
  min_ram: number
  tags: string[]
  /** Whatever people wrote beside the fields that have a name. */
  properties: Record<string, string>
  members: ImageMember[]
  status: (typeof recordStatuses)[number]
  /** Of what was uploaded: its bytes, and their MD5 and SHA-512. */
  data: { size: number; checksum: string; sha512: string } | null
  /** Of one that was cut into chunks after it came: so long the file that came is kept for who is fetching it; null: as long as the image. */
  whole_until?: string | null
  /** Where its data are to be fetched, or were, and why that failed. */
  download: ImageDownload | null
  created_at: string
  updated_at: string | null
  version: number
}

export interface ImageDownload {
  url: string
  failed: string | null
  request: string
  begun_at: string
  by: string | null
  /** Where it is fetched in turns: who is at it, and until when at most. */
  turn?: { holder: string; until: string }
  /** What earlier turns stored. */
  stored?: StoredDownload
}

/** A file that is stored in parts, as far as it came. */
export interface StoredDownload {
  upload: string
  tags: string[]
  bytes: number
  /** Of the whole file, where the server says it. */
  total: number | null
  /** What the server says to tell versions of the file apart. */
  etag: string | null
  modified: string | null
  /** States of the digests behind `bytes`, base64. */
  md5: string
  sha512: string
}
