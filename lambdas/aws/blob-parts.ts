import { createHash } from 'node:crypto'
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  S3Client,
  S3ServiceException,
  UploadPartCommand,
} from '@aws-sdk/client-s3'
import type { BlobParts } from '../platform.ts'
import { requestHandler } from './request-handler.ts'

/** A part is larger than anything else that is sent. */
const PART_MS = 60_000

/** Multipart uploads. S3 keeps what nobody completes for a day (cdk/images.ts). */
export function s3Parts(bucket: string): BlobParts {
  const client = new S3Client({
    requestHandler: { ...requestHandler, requestTimeout: PART_MS },
    // Else each part's would have to be said once more at the end; a part is held to its MD5.
    requestChecksumCalculation: 'WHEN_REQUIRED',
  })
  const at = (Key: string) => ({ Bucket: bucket, Key })
  return {
    async begin(key) {
      const { UploadId } = await client.send(new CreateMultipartUploadCommand(at(key)))
      if (!UploadId) throw new Error(`${key}: S3 began an upload without a name`)
      return UploadId
    },
    async put(key, UploadId, PartNumber, Body) {
      const ContentMD5 = createHash('md5').update(Body).digest('base64')
      const { ETag } = await client.send(new UploadPartCommand({ ...at(key), UploadId, PartNumber, Body, ContentMD5 }))
      if (!ETag) throw new Error(`${key}: S3 took part ${PartNumber} without a tag`)
      return ETag.replaceAll('"', '')
    },
    async complete(key, UploadId, tags) {
      const Parts = tags.map((tag, at) => ({ PartNumber: at + 1, ETag: `"${tag}"` }))
      await client.send(new CompleteMultipartUploadCommand({ ...at(key), UploadId, MultipartUpload: { Parts } }))
    },
    async abort(key, UploadId) {
      try {
        await client.send(new AbortMultipartUploadCommand({ ...at(key), UploadId }))
      } catch (error) {
        if (!(error instanceof S3ServiceException && error.name === 'NoSuchUpload')) throw error
      }
    },
  }
}
