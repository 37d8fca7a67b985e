import { z } from 'zod'
import { digest, imagePage, LARGEST_STORED_CHUNK, signedManifest } from './manifest.ts'
import { MOST_BASES } from './patch.ts'

/** How an image gets into the store: a push is begun, says which chunks the image has, uploads those that the store lacks, then the pages and
 * the manifest. A push that breaks off leaves nothing to clear up: what it uploaded is found by the next one, or collected. */

export const CHUNKS_AT_ONCE = 256

export const pushedChunks = z.strictObject({
  chunks: z
    .array(
      z.strictObject({
        sha256: digest,
        /** Its compressed bytes, by one who is about to upload them. */
        stored: z
          .strictObject({
            sha256: digest,
            size: z.int().positive().max(LARGEST_STORED_CHUNK),
            /** They are a patch upon these, which the store has. */
            bases: z.array(digest).min(1).max(MOST_BASES).optional(),
          })
          .optional(),
      }),
    )
    .min(1)
    .max(CHUNKS_AT_ONCE),
})
export type PushedChunks = z.infer<typeof pushedChunks>

export const pushedPage = z.strictObject({ chunks: imagePage })
export const pushedManifest = signedManifest

/** held: it is there, and stays as long as the push goes on. busy: it is being deleted; ask again. */
export interface ChunkAnswer {
  sha256: string
  state: 'held' | 'lacking' | 'busy'
  /** As stored, of one that is held. */
  size?: number
  upload?: { url: string; headers: Record<string, string> }
  /** How many patches deep it is, of one that is held and no whole chunk. */
  depth?: number
  /** A patch of it can't be taken: it must come whole. */
  whole?: true
}
export interface ChunkAnswers {
  chunks: ChunkAnswer[]
}
export interface ImagePush {
  uuid: string
  name: string
  created_at: string
  touched_at: string
}
