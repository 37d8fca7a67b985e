import type { IncomingMessage } from 'node:http'
import { UserError } from '../../contract/api/faults.ts'
import type { StoredDownload } from '../../contract/image-record.ts'

/** What a server says of the file that it sends, or of the part of it. Pure. */
export interface Offered extends Pick<StoredDownload, 'total' | 'etag' | 'modified'> {
  /** It sends the rest from any byte on. */
  ranges: boolean
}

export function offered({ statusCode, headers }: Pick<IncomingMessage, 'statusCode' | 'headers'>, from: number) {
  const { etag = null, 'last-modified': modified = null } = headers
  if (statusCode !== 206) {
    const length = Number(headers['content-length'] ?? NaN)
    const total = Number.isSafeInteger(length) ? length : null
    return { ranges: false, total, etag, modified } satisfies Offered
  }
  // RFC 9110 §14.4
  const [, first, whole] = /^bytes (\d{1,15})-\d{1,15}\/(\d{1,15})$/.exec(headers['content-range'] ?? '') ?? []
  if (first === undefined || Number(first) !== from)
    throw new UserError(400, `it was asked for bytes from ${from} on, and sends others`)
  return { ranges: true, total: Number(whole), etag, modified } satisfies Offered
}

/** Mirrors have different tags for the same file: one thing that is the same is enough, where its length is. */
export function isSameFile(before: Omit<Offered, 'ranges'>, now: Omit<Offered, 'ranges'>): boolean {
  if (before.total !== now.total) return false
  const pairs = [
    [before.etag, now.etag],
    [before.modified, now.modified],
  ].filter(([a, b]) => a !== null && b !== null)
  return pairs.length === 0 || pairs.some(([a, b]) => a === b)
}
