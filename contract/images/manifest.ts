import { createHash } from 'node:crypto'
import { z } from 'zod'
import { canonical } from './canonical.ts'

/** What an image is made of (decision 15). The disk is cut into chunks of 1 MiB, each known by the SHA-256 of what it holds and stored once,
 * compressed, however many images have it; a chunk of zeros is null and stored nowhere. Pages list the chunks; the manifest lists the
 * pages, says what kind of disk this is, and is what gets signed. */

export const CHUNK_BYTES = 1024 * 1024
/** Of zstd (RFC 8878). Packed once, fetched by each site and sent to each machine: 5 % fewer bytes than its default are worth a little time. */
export const CHUNK_LEVEL = 6
/** Of the virtual disk, a page lists 1 GiB. */
export const PAGE_CHUNKS = 1024
const MOST_PAGES = 16_384
/** zstd adds a few bytes to what it can't compress (RFC 8878 §3.1.1: headers of the frame and of its blocks). */
export const LARGEST_STORED_CHUNK = CHUNK_BYTES + 4096
/** Of a page or a manifest as text; what is longer is not parsed. */
export const LARGEST_PAGE_TEXT = 128 * 1024
export const LARGEST_MANIFEST_TEXT = 2 * 1024 * 1024

export const digest = z.string().regex(/^[0-9a-f]{64}$/, '64 lower-case hexadecimal digits')

export const imagePage = z.array(digest.nullable()).min(1).max(PAGE_CHUNKS)
export type ImagePage = z.infer<typeof imagePage>

export const bootModes = z.array(z.enum(['bios', 'uefi'])).max(2)

const bytes = z.int().nonnegative()
export const diskLayout = z.strictObject({
  table: z.enum(['gpt', 'mbr', 'none']),
  /** Bytes; 0 without a table. */
  sector: z.int().min(0).max(4096),
  partitions: z
    .array(
      z.strictObject({
        number: z.int().min(1).max(128),
        start: bytes,
        length: bytes,
        /** A GUID, or the two digits of an MBR. */
        type: z.string().regex(/^([0-9a-f]{2}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})$/),
        name: z.string().max(36),
      }),
    )
    .max(128),
})
export type DiskLayout = z.infer<typeof diskLayout>

export const sourceFormats = ['raw', 'qcow2', 'vmdk', 'vhd', 'vhdx', 'vdi', 'iso'] as const

export const imageManifest = z
  .strictObject({
    v: z.literal(1),
    chunk_bytes: z.literal(CHUNK_BYTES),
    page_chunks: z.literal(PAGE_CHUNKS),
    virtual_size: z
      .int()
      .positive()
      .max(MOST_PAGES * PAGE_CHUNKS * CHUNK_BYTES),
    /** Of the whole disk, zeros and all. */
    sha256: digest,
    /** Digests of the pages; null: 1 GiB of zeros. */
    pages: z.array(digest.nullable()).max(MOST_PAGES),
    /** Bytes of the chunks that are not zeros, each counted once, as they are stored. */
    stored_size: bytes,
    source_format: z.enum(sourceFormats),
    layout: diskLayout,
    boot_modes: bootModes,
  })
  .refine(({ pages, virtual_size: size }) => pages.length === Math.ceil(size / (PAGE_CHUNKS * CHUNK_BYTES)), {
    message: 'the pages do not cover the disk',
    path: ['pages'],
  })
export type ImageManifest = z.infer<typeof imageManifest>

/** A manifest with the signature of its canonical text. */
export const signedManifest = z.strictObject({
  manifest: imageManifest,
  signature: z
    .strictObject({
      key: z.string().regex(/^[0-9a-f]{16}$/),
      value: z.string().regex(/^[A-Za-z0-9+/]{86}==$/, 'an ed25519 signature in base64'),
    })
    .nullable(),
})
export type SignedManifest = z.infer<typeof signedManifest>

export function sha256Of(data: string | Uint8Array): string {
  return createHash('sha256').update(data).digest('hex')
}

/** A page is known by the digest of its canonical text. */
export function pageDigest(page: ImagePage): string {
  return sha256Of(canonical(page))
}

/** How many chunks the page has. */
export function chunksOnPage({ virtual_size: size }: Pick<ImageManifest, 'virtual_size'>, page: number): number {
  return Math.min(PAGE_CHUNKS, Math.ceil(size / CHUNK_BYTES) - page * PAGE_CHUNKS)
}

/** Bytes of the disk in this chunk: the last one may be short. */
export function chunkLength({ virtual_size: size }: Pick<ImageManifest, 'virtual_size'>, chunk: number): number {
  return Math.min(CHUNK_BYTES, size - chunk * CHUNK_BYTES)
}

/** Where things are in the store. */
export const chunkBlob = (sha256: string): string => `chunks/${sha256}`
export const manifestBlob = (image: string): string => `images/${image}/manifest`
export const pageBlob = (image: string, page: number): string => `images/${image}/pages/${page}`
/** A page with signed URLs of its chunks, made when a site asks for its URL. */
export const placesBlob = (image: string, page: number): string => `images/${image}/places/${page}`

/** Chunks that those of the page are patches upon, as `imagePage` has them; absent where there are none. */
export const needsBlob = (image: string, page: number): string => `images/${image}/needs/${page}`

/** What such an object holds: URLs of the page's chunks and of those that they are patches upon. */
export const imagePlaces = z.strictObject({
  chunks: imagePage,
  urls: z.record(digest, z.url({ protocol: /^https?$/ }).max(4096)),
})
export type ImagePlaces = z.infer<typeof imagePlaces>
export const LARGEST_PLACES_TEXT = LARGEST_PAGE_TEXT + 2 * PAGE_CHUNKS * 4300
