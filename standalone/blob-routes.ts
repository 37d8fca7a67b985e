import { createReadStream } from 'node:fs'
import { Readable } from 'node:stream'
import { Hono } from 'hono'
import type { Context } from 'hono'
import type { Clock, Log } from '../lambdas/platform.ts'
import { verified, type Grant } from './blob-signature.ts'
import { WrongBytesError, type FileBlobs, type Stored } from './blobs.ts'
import { byteRange } from './byte-range.ts'

/** The blob store's door, open to whoever holds a signed URL. Mounted at the server's root; serves /blobs/:key. */
export function blobRoutes(blobs: FileBlobs, secret: Uint8Array, clock: Clock, log: Log): Hono {
  const routes = new Hono()
  const grantOf = (c: Context, method: 'GET' | 'PUT'): Grant | string =>
    verified(secret, { method, encodedKey: c.req.param('key') ?? '', search: c.req.query() }, clock.now())

  // Hono answers HEAD through GET's handler, without the body.
  routes.get('/blobs/:key', (c) => {
    const grant = grantOf(c, 'GET')
    if (typeof grant === 'string') return c.json({ error: grant }, 403)
    const stored = blobs.find(grant.key)
    return stored ? serve(c, stored) : c.json({ error: `there is no blob ${grant.key}` }, 404)
  })

  routes.put('/blobs/:key', async (c) => {
    const grant = grantOf(c, 'PUT')
    if (typeof grant === 'string' || !grant.put) return c.json({ error: grant }, 403)
    const announced = c.req.header('content-length')
    if (announced !== undefined && Number(announced) !== grant.put.size)
      return c.json({ error: `the URL was signed for ${grant.put.size} bytes, not ${announced}` }, 400)
    const body = c.req.raw.body
    try {
      await blobs.receive(grant.key, body ? Readable.fromWeb(body) : Readable.from([]), grant.put)
    } catch (error) {
      if (error instanceof WrongBytesError) return c.json({ error: error.message }, 400)
      throw error
    }
    return c.body(null, 200)
  })
  routes.onError((error, c) => {
    // An upload that its sender broke off comes here too.
    log.warn({ method: c.req.method, error: error.message }, 'blob request failed')
    return c.json({ error: 'the blob store could not do this; try again' }, 500)
  })
  return routes
}

function serve(c: Context, stored: Stored): Response {
  const tag = `"${stored.sha256}"`
  const condition = c.req.header('if-range')
  const asked = condition === undefined || condition === tag ? c.req.header('range') : undefined
  const range = byteRange(asked, stored.size)
  c.header('accept-ranges', 'bytes')
  c.header('etag', tag)
  c.header('content-type', 'application/octet-stream')
  if (range === 'unsatisfiable') {
    c.header('content-range', `bytes */${stored.size}`)
    return c.body(null, 416)
  }
  const [from, to] = range ?? [0, stored.size - 1]
  c.header('content-length', String(to - from + 1))
  if (range) c.header('content-range', `bytes ${from}-${to}/${stored.size}`)
  const status = range ? 206 : 200
  if (c.req.method === 'HEAD' || to < from) return c.body(null, status)
  const file = createReadStream(stored.path, { start: from, end: to, highWaterMark: 256 * 1024 })
  return c.body(Readable.toWeb(file) as ReadableStream, status)
}
