import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import {
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
  S3ServiceException,
  type S3Client,
} from '@aws-sdk/client-s3'
import { getSignedUrl } from '@aws-sdk/s3-request-presigner'
import type { BlobParts, Blobs } from '../platform.ts'
import { s3Parts } from './blob-parts.ts'

const CHECKSUM = 'x-amz-checksum-sha256'
const ONE_PUT_LIMIT = 5 * 1024 ** 3 // S3 takes larger objects only in parts

export class S3Blobs implements Blobs {
  readonly #client: S3Client
  readonly #bucket: string
  readonly parts: BlobParts

  constructor(client: S3Client, bucket: string) {
    this.#client = client
    this.#bucket = bucket
    this.parts = s3Parts(bucket)
  }

  async put(key: string, bytes: Uint8Array): Promise<void> {
    const ChecksumSHA256 = createHash('sha256').update(bytes).digest('base64')
    await this.#client.send(new PutObjectCommand({ ...this.#at(key), Body: bytes, ChecksumSHA256 }))
  }

  async get(key: string): Promise<Uint8Array | undefined> {
    const found = await unlessAbsent(this.#client.send(new GetObjectCommand(this.#at(key))))
    return found?.Body?.transformToByteArray()
  }

  async stream(key: string): Promise<Readable | undefined> {
    const found = await unlessAbsent(this.#client.send(new GetObjectCommand(this.#at(key))))
    return found?.Body instanceof Readable ? found.Body : undefined
  }

  async head(key: string): Promise<{ size: number; sha256: string | undefined } | undefined> {
    const found = await unlessAbsent(
      this.#client.send(new HeadObjectCommand({ ...this.#at(key), ChecksumMode: 'ENABLED' })),
    )
    if (!found) return undefined
    const sha256 = found.ChecksumSHA256 && Buffer.from(found.ChecksumSHA256, 'base64').toString('hex')
    return { size: found.ContentLength ?? 0, sha256 }
  }

  async delete(key: string): Promise<void> {
    await this.#client.send(new DeleteObjectCommand(this.#at(key)))
  }

  signGet(key: string, seconds: number): Promise<string> {
    return getSignedUrl(this.#client, new GetObjectCommand(this.#at(key)), { expiresIn: seconds })
  }

  /** Length and digest are signed headers: S3 refuses a request that lacks or alters them, and a body that belies the digest. The
   * length is not among the headers to send, because every client sets it to what it sends. */
  async signPut(
    key: string,
    expected: { size: number; sha256: string },
    seconds: number,
  ): Promise<{ url: string; headers: Record<string, string> }> {
    if (expected.size > ONE_PUT_LIMIT) {
      throw new Error(`${key}: ${expected.size} bytes cannot be uploaded in one request, at most ${ONE_PUT_LIMIT} can`)
    }
    const digest = Buffer.from(expected.sha256, 'hex').toString('base64')
    const command = new PutObjectCommand({
      ...this.#at(key),
      ContentLength: expected.size,
      ChecksumSHA256: digest,
    })
    const url = await getSignedUrl(this.#client, command, {
      expiresIn: seconds,
      unhoistableHeaders: new Set([CHECKSUM]),
      signableHeaders: new Set(['host', 'content-length', CHECKSUM]),
    })
    return { url, headers: { [CHECKSUM]: digest } }
  }

  #at(Key: string): { Bucket: string; Key: string } {
    return { Bucket: this.#bucket, Key }
  }
}

/** S3 says NotFound to HEAD, which has no body for a code, and NoSuchKey to GET. */
async function unlessAbsent<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer
  } catch (error) {
    if (error instanceof S3ServiceException && (error.name === 'NoSuchKey' || error.name === 'NotFound')) {
      return undefined
    }
    throw error
  }
}
