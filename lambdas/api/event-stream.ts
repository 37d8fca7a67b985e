import { setTimeout as pause } from 'node:timers/promises'
import { streamSSE } from 'hono/streaming'
import { z } from 'zod'
import { UserError } from '../../contract/api/faults.ts'
import { type Cursor, cursorText, event, parseCursor } from '../../contract/event.ts'
import { allowed } from '../../contract/policy.ts'
import type { HistoryEntry } from '../../contract/resources.ts'
import type { Platform } from '../platform.ts'
import { eventsAfter, type Heard, KEPT_MS } from '../store/events.ts'
import type { ApiConfig } from './config.ts'
import type { Api, Call } from './context.ts'
import { nodeOf } from './find.ts'

/** GET /v1/events: what happens to nodes, as server-sent events (WHATWG HTML §9.2), or as JSON page by page. Ours. Where replies can't
 * be sent in pieces, a stream ends behind the first events: listeners come again by themselves, with the id of the last. */

const POLL_MS = 1000
const WAIT_SECONDS = 20
const STREAM_MS = 3600 * 1000
const BEAT_MS = 15_000
const MOST_LISTENERS = 100

const parameters = z.strictObject({
  after: z.string().optional(),
  node: z.string().max(255).optional(),
  site: z.string().max(255).optional(),
  kind: event.shape.kind.optional(),
  bloomery: z.string().optional(),
  limit: z.coerce.number().int().min(1).max(500).default(100),
  /** Of JSON: how many seconds to wait for the first event. */
  wait: z.coerce.number().min(0).max(WAIT_SECONDS).default(0),
})

export function eventStreamRoutes(
  app: Api,
  platform: Platform,
  { streaming = false }: Pick<ApiConfig, 'streaming'>,
): void {
  let listeners = 0
  app.get('/v1/events', async (call) => {
    const given = parameters.parse(call.req.query())
    const keep = await filterOf(call, platform, given)
    const start = startOf(given.after ?? call.req.header('last-event-id'), platform.clock.now())
    const read = (cursor: Cursor): Promise<Heard> =>
      eventsAfter(platform.table, cursor, platform.clock.now(), { limit: given.limit, keep })
    const isStream = call.req.header('accept')?.includes('text/event-stream') ?? false
    if (listeners >= MOST_LISTENERS)
      throw new UserError(503, `${MOST_LISTENERS} are listening already: come again later.`)
    const { signal } = call.req.raw
    if (!isStream) {
      listeners += 1
      try {
        const { events, cursor } = await heardWithin(read, start, given.wait * 1000, () => signal.aborted)
        return call.json({ events, last: cursorText(cursor) })
      } finally {
        listeners -= 1
      }
    }
    call.header('x-accel-buffering', 'no')
    return streamSSE(call, async (stream) => {
      listeners += 1
      try {
        const end = streaming ? Date.now() + STREAM_MS : 0
        let cursor = start
        await stream.write(`retry: ${POLL_MS}\n\n`)
        do {
          const heard = await heardWithin(read, cursor, streaming ? BEAT_MS : WAIT_SECONDS * 1000, () => stream.aborted)
          for (const event of heard.events)
            await stream.writeSSE({ id: event.id, event: event.kind, data: JSON.stringify(event) })
          // A comment that only says that the line is there, and an id to go on from.
          if (heard.events.length === 0) await stream.write(`: nothing new\nid: ${cursorText(heard.cursor)}\n\n`)
          cursor = heard.cursor
        } while (Date.now() < end && !stream.aborted)
      } finally {
        listeners -= 1
      }
    })
  })
}

/** Reads until there is something, or time is over. */
async function heardWithin(
  read: (cursor: Cursor) => Promise<Heard>,
  start: Cursor,
  waitMs: number,
  isOver: () => boolean,
): Promise<Heard> {
  const end = Date.now() + waitMs
  let heard = await read(start)
  while (heard.events.length === 0 && Date.now() < end && !isOver()) {
    await pause(Math.min(POLL_MS, Math.max(end - Date.now(), 1)))
    heard = await read(heard.cursor)
  }
  return heard
}

async function filterOf(
  call: Call,
  platform: Platform,
  { node: ident, site, kind }: z.infer<typeof parameters>,
): Promise<(entry: HistoryEntry) => boolean> {
  const node = ident === undefined ? undefined : (await nodeOf(platform, ident, call.var.minor)).uuid
  return ({ node_uuid, event_type, about }) =>
    about !== undefined &&
    (node === undefined || node === node_uuid) &&
    (site === undefined || site === about.site) &&
    (kind === undefined || kind === event_type) &&
    allowed('baremetal:node:history:get', call.var.caller, about)
}

/** Without a place to go on from: from now on. */
function startOf(after: string | undefined, now: Date): Cursor {
  if (after === undefined || after === '') return { at: now.toISOString(), node: null, entry: null }
  const cursor = parseCursor(after)
  if (!cursor) throw new UserError(400, `'${after.slice(0, 100)}' is not the id of an event, nor an instant.`)
  if (Date.parse(cursor.at) < now.getTime() - KEPT_MS)
    throw new UserError(410, 'That event is older than seven days: begin anew, and read the nodes as they are now.')
  return cursor
}
