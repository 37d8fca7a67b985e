import { createHmac, timingSafeEqual } from 'node:crypto'
import { z } from 'zod'

/** What a signed URL allows. `put` fixes the bytes. */
export interface Grant {
  method: 'GET' | 'PUT'
  key: string
  /** Unix seconds. */
  expires: number
  put?: { size: number; sha256: string }
}

const query = z.object({
  expires: z.coerce.number().int().positive(),
  size: z.coerce.number().int().nonnegative().optional(),
  sha256: z
    .string()
    .regex(/^[0-9a-f]{64}$/)
    .optional(),
  signature: z.string().regex(/^[\w-]{43}$/),
})

export const longestKey = 1024

/** Path and query of a URL under the blob store's base. */
export function signed(secret: Uint8Array, grant: Grant): string {
  const search = new URLSearchParams({ expires: String(grant.expires) })
  if (grant.put) {
    search.set('size', String(grant.put.size))
    search.set('sha256', grant.put.sha256)
  }
  search.set('signature', sign(secret, grant))
  return `/blobs/${Buffer.from(grant.key).toString('base64url')}?${search.toString()}`
}

/** The grant that a request shows, or why it has none. */
export function verified(
  secret: Uint8Array,
  request: { method: 'GET' | 'PUT'; encodedKey: string; search: Record<string, string> },
  now: Date,
): Grant | string {
  const parsed = query.safeParse(request.search)
  const key = Buffer.from(request.encodedKey, 'base64url').toString()
  if (!parsed.success || key === '' || key.length > longestKey) return 'this is not a signed URL of this store'
  const { expires, size, sha256, signature } = parsed.data
  const put = size !== undefined && sha256 !== undefined ? { size, sha256 } : undefined
  if ((request.method === 'PUT') !== (put !== undefined)) return `the URL was signed for another method`
  const grant: Grant = { method: request.method, key, expires, ...(put && { put }) }
  if (!timingSafeEqual(Buffer.from(signature), Buffer.from(sign(secret, grant)))) return 'the signature is wrong'
  if (expires * 1000 < now.getTime()) return 'the URL has expired; ask for a new one'
  return grant
}

function sign(secret: Uint8Array, { method, key, expires, put }: Grant): string {
  const text = JSON.stringify([method, key, expires, put?.size ?? null, put?.sha256 ?? null])
  return createHmac('sha256', secret).update(text).digest('base64url')
}
