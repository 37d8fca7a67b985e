import { createHash } from 'node:crypto'
import { callerOf, type Knock, type Refusal, startDoor } from './door.ts'
import type { Permits } from './permissions.ts'
import { presignedBy } from './presigned.ts'
import type { Serving } from './serve.ts'

const actions: Record<string, string> = {
  GET: 's3:GetObject',
  HEAD: 's3:GetObject',
  PUT: 's3:PutObject',
  // Begins and completes an upload in parts.
  POST: 's3:PutObject',
  DELETE: 's3:DeleteObject',
}

function actionOf({ method, url }: Pick<Knock, 'method' | 'url'>): string {
  if (method === 'DELETE' && url.searchParams.has('uploadId')) return 's3:AbortMultipartUpload'
  return actions[method] ?? method
}

/** S3's door before an emulator that has none: it refuses requests that are unsigned, expired, signed for something else or beyond
 * the signer's rights, and bodies that belie their checksum. */
export async function startObjectStore(emulator: string, secret: string, permits: Permits): Promise<Serving> {
  return startDoor(emulator, (knock) => {
    const { method, url, headers, body } = knock
    const [, bucket, ...key] = decodeURIComponent(url.pathname).split('/')
    const isObject = key.length > 0
    const resource = `arn:aws:s3:::${bucket}/${key.join('/')}`
    const genuine = url.searchParams.has('X-Amz-Signature')
      ? presignedBy(secret, knock, new Date())
      : headers.authorization !== undefined
    if (!genuine || (isObject && !permits(callerOf(knock), actionOf(knock), resource))) {
      return fault(403, 'AccessDenied')
    }
    const checksum = headers['x-amz-checksum-sha256']
    const belied = method === 'PUT' && checksum && digest(body) !== checksum
    return belied ? fault(400, 'BadDigest') : undefined
  })
}

function digest(body: Knock['body']): string {
  return createHash('sha256').update(body).digest('base64')
}

function fault(status: number, code: string): Refusal {
  const body = `<?xml version="1.0" encoding="UTF-8"?><Error><Code>${code}</Code><Message>${code}</Message></Error>`
  return { status, type: 'application/xml', body }
}
