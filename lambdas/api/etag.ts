import { hash } from 'node:crypto'
import type { ContentfulStatusCode } from 'hono/utils/http-status'
import { UserError } from '../../contract/api/faults.ts'
import type { Call } from './context.ts'

/** Entity tags (RFC 9110 §8.8.3): the number of the write, then a digest of what is shown, since one and the same write looks
 * different to other callers and versions. Reading is compared by all of it, writing by the number alone. */

interface Versioned {
  version: number
}

const TAG = /^"(\d{1,15})-[0-9a-f]{16}"$/

/** The resource as the reply, with its tag; 304 where the caller has it already. */
export function tagged(call: Call, { version }: Versioned, view: unknown, status: 200 | 201 = 200): Response {
  const text = JSON.stringify(view)
  const tag = `"${version}-${hash('sha256', text).slice(0, 16)}"`
  call.header('etag', tag)
  const known = call.req.method === 'GET' ? call.req.header('if-none-match') : undefined
  if (known !== undefined && (known.trim() === '*' || listed(known).map(strong).includes(tag)))
    return call.body(null, 304)
  call.header('content-type', 'application/json')
  return call.body(text, status as ContentfulStatusCode)
}

/** Of a reply that shows nothing of the resource: good for If-Match. */
export function versionTag({ version, uuid }: Versioned & { uuid: string }): string {
  return `"${version}-${hash('sha256', uuid).slice(0, 16)}"`
}

/** Refuses to change what the caller has not seen as it is. To be asked where the write is decided, so that nothing comes between. */
export function requireMatch(call: Call, what: string, { version }: Versioned): void {
  const wanted = call.req.header('if-match')
  if (wanted === undefined || wanted.trim() === '*') return
  if (!listed(wanted).some((tag) => Number(TAG.exec(tag)?.[1]) === version))
    throw new UserError(
      412,
      `${what} has been changed since it was read, or If-Match is none of its tags: read it again, and send the ETag of that reply.`,
    )
}

const listed = (header: string): string[] => header.split(',').map((tag) => tag.trim())

/** Proxies that compress a reply make its tag a weak one; for reading that is good enough (RFC 9110 §13.1.2). */
const strong = (tag: string): string => tag.replace(/^W\//, '')
