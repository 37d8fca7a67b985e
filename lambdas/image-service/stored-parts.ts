import { createMD5, createSHA512, type IHasher } from 'hash-wasm'
import { UserError } from '../../contract/api/faults.ts'
import type { ImageRecord, StoredDownload } from '../../contract/image-record.ts'
import type { BlobParts, Platform } from '../platform.ts'
import { imageBlob } from '../store/images.ts'
import type { Offered } from './byte-range.ts'
import { requireDeployable } from './input.ts'
import { requireFormat } from './receive.ts'

/** S3 takes no smaller part but the last. */
const LEAST = 5 * 1024 ** 2
export const PART_BYTES = 64 * 1024 ** 2
/** Their tags are kept in the image's record, which an item of the table has room for. */
const MOST_PARTS = 4000

/** A file on its way into the blob store, part by part. What it has counted and digested is what is stored: who goes on with it from there
 * needs nothing that was in memory. */
export class StoredParts {
  readonly #blobs: BlobParts
  readonly #key: string
  readonly #record: ImageRecord
  readonly #partBytes: number
  readonly #digests: { md5: IHasher; sha512: IHasher }
  #state: StoredDownload
  #waiting: Uint8Array[] = []
  #waits = 0

  private constructor(
    blobs: BlobParts,
    record: ImageRecord,
    partBytes: number,
    digests: { md5: IHasher; sha512: IHasher },
    state: StoredDownload,
  ) {
    this.#blobs = blobs
    this.#record = record
    this.#key = imageBlob(record.uuid)
    this.#partBytes = partBytes
    this.#digests = digests
    this.#state = state
  }

  static async begin(blobs: BlobParts, record: ImageRecord, { total, etag, modified }: Offered, partBytes: number) {
    const digests = { md5: (await createMD5()).init(), sha512: (await createSHA512()).init() }
    const upload = await blobs.begin(imageBlob(record.uuid))
    const state = { upload, tags: [], bytes: 0, total, etag, modified, ...statesOf(digests) }
    return new StoredParts(blobs, record, partBytes, digests, state)
  }

  static async resume(blobs: BlobParts, record: ImageRecord, state: StoredDownload, partBytes: number) {
    const from = (text: string): Uint8Array => Buffer.from(text, 'base64')
    const digests = {
      md5: (await createMD5()).load(from(state.md5)),
      sha512: (await createSHA512()).load(from(state.sha512)),
    }
    return new StoredParts(blobs, record, partBytes, digests, state)
  }

  get state(): StoredDownload {
    return this.#state
  }

  /** With what waits to be stored. */
  get bytes(): number {
    return this.#state.bytes + this.#waits
  }

  /** True: a part was stored. */
  async add(bytes: Uint8Array): Promise<boolean> {
    this.#waiting.push(bytes)
    this.#waits += bytes.byteLength
    if (this.#waits < this.#partBytes) return false
    await this.#store()
    return true
  }

  /** What came before a break, where it may be a part; else it is to be fetched again. */
  async keep(): Promise<void> {
    if (this.#waits >= Math.min(LEAST, this.#partBytes)) await this.#store()
    this.#waiting = []
    this.#waits = 0
  }

  /** All has come. The upload is complete afterwards, also where an earlier turn completed it and could not say so. */
  async complete(blobs: Pick<Platform['blobs'], 'head'>): Promise<NonNullable<ImageRecord['data']>> {
    if (this.#waits > 0) await this.#store()
    const { upload, tags, bytes } = this.#state
    if (bytes === 0) throw new UserError(400, 'it is empty')
    if ((await blobs.head(this.#key))?.size !== bytes) await this.#blobs.complete(this.#key, upload, tags)
    const { md5, sha512 } = this.#digests
    return { size: bytes, checksum: md5.digest('hex'), sha512: sha512.digest('hex') }
  }

  async #store(): Promise<void> {
    const part = Buffer.concat(this.#waiting)
    this.#waiting = []
    this.#waits = 0
    const { upload, tags, bytes } = this.#state
    if (bytes === 0) requireFormat(part, requireDeployable(this.#record))
    if (tags.length === MOST_PARTS)
      throw new UserError(400, `it broke off so often that it would have more than ${MOST_PARTS} parts`)
    const tag = await this.#blobs.put(this.#key, upload, tags.length + 1, part)
    for (const digest of Object.values(this.#digests)) digest.update(part)
    this.#state = {
      ...this.#state,
      tags: [...tags, tag],
      bytes: bytes + part.byteLength,
      ...statesOf(this.#digests),
    }
  }
}

function statesOf({ md5, sha512 }: { md5: IHasher; sha512: IHasher }): Pick<StoredDownload, 'md5' | 'sha512'> {
  const text = (digest: IHasher): string => Buffer.from(digest.save()).toString('base64')
  return { md5: text(md5), sha512: text(sha512) }
}
