import { setTimeout as pause } from 'node:timers/promises'
import { streamSSE } from 'hono/streaming'
import { z } from 'zod'
import { UserError } from '../../contract/api/faults.ts'
import { type ConsoleAsk, type ConsoleChunk, type ConsolePage, typed, WATCH_SECONDS } from '../../contract/console.ts'
import type { Appliance, Node } from '../../contract/resources.ts'
import { keeperOf } from '../conductor/choose.ts'
import { send } from '../conductor/publish.ts'
import type { Platform } from '../platform.ts'
import { appliancesOf, isAlive } from '../store/appliances.ts'
import { chunksAfter, type ConsoleCursor, headOf, logOf, readLog, setLog, takesRenewal } from '../store/consoles.ts'
import { argumentsOf } from './arguments.ts'
import type { ApiConfig } from './config.ts'
import { requireConsole } from './console.ts'
import type { Api, Call } from './context.ts'
import { nodeOf } from './find.ts'

/** A console, live: ours. The site sends what it shows while somebody reads here, and for half a minute longer. Where replies can't be
 * sent in pieces, a stream ends behind the first chunks, and its listener comes again by itself with the id of the last. */

const POLL_MS = 150
const WAIT_SECONDS = 20
const STREAM_MS = 3600 * 1000
const RENEW_MS = (WATCH_SECONDS * 1000) / 3
const MOST_WATCHERS = 100

const parameters = z.strictObject({
  after: z.string().max(64).optional(),
  bloomery: z.string().optional(),
  /** Of JSON: how many seconds to wait for the first chunk. */
  wait: z.coerce.number().min(0).max(WAIT_SECONDS).default(0),
})

export function consoleLiveRoutes(
  app: Api,
  platform: Platform,
  { streaming = false }: Pick<ApiConfig, 'streaming'>,
): void {
  const path = '/v1/nodes/:ident/console'
  let watchers = 0

  app.get(`${path}/stream`, async (call) => {
    const given = parameters.parse(call.req.query())
    const node = await consoleNode(platform, call)
    const appliance = await holderOf(platform, node)
    const start = await startOf(platform, node, given.after ?? call.req.header('last-event-id'))
    const isStream = call.req.header('accept')?.includes('text/event-stream') ?? false
    if (watchers >= MOST_WATCHERS)
      throw new UserError(503, `${MOST_WATCHERS} consoles are watched already: come again later.`)
    const { signal } = call.req.raw
    const watch: Watch = { platform, node, appliance }
    if (!isStream) {
      watchers += 1
      try {
        const { chunks, cursor } = await shownWithin(watch, start, given.wait * 1000, () => signal.aborted)
        return call.json({ chunks, last: textOf(cursor) } satisfies ConsolePage)
      } finally {
        watchers -= 1
      }
    }
    call.header('x-accel-buffering', 'no')
    return streamSSE(call, async (stream) => {
      watchers += 1
      try {
        const end = streaming ? Date.now() + STREAM_MS : 0
        let { cursor, isNew } = start
        await stream.write('retry: 1000\n\n')
        do {
          const shown = await shownWithin(watch, { cursor, isNew }, WAIT_SECONDS * 1000, () => stream.aborted)
          for (const chunk of shown.chunks)
            await stream.writeSSE({ id: textOf(chunk), event: 'chunk', data: JSON.stringify(chunk) })
          if (shown.chunks.length === 0) await stream.write(': nothing new\n\n')
          cursor = shown.cursor
          isNew = false
        } while (Date.now() < end && !stream.aborted)
      } finally {
        watchers -= 1
      }
    })
  })

  app.post(`${path}/input`, async (call) => {
    const body = await argumentsOf(call, typed)
    const node = await consoleNode(platform, call)
    await ask(platform, await holderOf(platform, node), node, { act: 'type', ...body })
    return call.body(null, 204)
  })

  app.post(`${path}/log`, async (call) => {
    const node = await consoleNode(platform, call)
    const log = { request: platform.ids.uuid(), asked_at: platform.clock.now().toISOString() }
    const appliance = await holderOf(platform, node)
    await setLog(platform, node.uuid, log)
    await ask(platform, appliance, node, { act: 'log', request: log.request })
    return call.json({ ...log, log: null }, 202)
  })

  app.get(`${path}/log`, async (call) => {
    const node = await consoleNode(platform, call)
    const log = await logOf(platform.table, node.uuid)
    if (!log)
      throw new UserError(404, `The recording of node ${node.name ?? node.uuid} was not asked for: POST here first.`)
    return call.json({ ...log, log: (await readLog(platform, node.uuid, log.request)) ?? null })
  })
}

interface Watch {
  platform: Platform
  node: Node
  appliance: Appliance
}

interface Start {
  cursor: ConsoleCursor
  /** Has seen nothing yet: wants the screen. */
  isNew: boolean
}

/** Reads until there is something, or time is over; meanwhile the site is told that somebody watches. */
async function shownWithin(
  { platform, node, appliance }: Watch,
  start: Start,
  waitMs: number,
  isOver: () => boolean,
): Promise<{ chunks: ConsoleChunk[]; cursor: ConsoleCursor }> {
  const { table } = platform
  const end = Date.now() + waitMs
  const watch = (snapshot: boolean): Promise<void> =>
    ask(platform, appliance, node, { act: 'watch', seconds: WATCH_SECONDS, snapshot })
  if (start.isNew) await watch(true)
  for (;;) {
    if (await takesRenewal(platform, node.uuid, RENEW_MS)) await watch(false)
    const shown = await chunksAfter(table, node.uuid, start.cursor)
    // What was missed is made good by the screen.
    if (shown.gap && !shown.chunks.some(({ screen }) => screen)) await watch(true)
    if (shown.chunks.length > 0 || Date.now() >= end || isOver()) return shown
    await pause(Math.min(POLL_MS, Math.max(end - Date.now(), 1)))
  }
}

async function consoleNode(platform: Platform, call: Call): Promise<Node> {
  const node = await nodeOf(platform, call.req.param('ident') ?? '', call.var.minor)
  requireConsole(node, 'get_console')
  return node
}

/** A console is of now: nobody waits for a site that is away. */
async function holderOf({ table, clock }: Platform, node: Node): Promise<Appliance> {
  const { conductor_group: site } = node
  if (site === '') throw new UserError(409, `Node ${node.uuid} belongs to no site: set its conductor_group.`)
  const now = clock.now()
  const appliance = keeperOf(node, await appliancesOf(table, site), now)
  if (!appliance) throw new UserError(409, `Site ${site} has no appliance: enrol one.`)
  if (isAlive(appliance, now)) return appliance
  const seen = appliance.last_seen ?? 'never'
  throw new UserError(
    503,
    `Site ${site} is away: appliance ${appliance.name} was last heard of ${seen}. It goes on recording.`,
  )
}

function ask(platform: Platform, { uuid }: Appliance, node: Node, what: ConsoleAsk): Promise<void> {
  return send(platform, uuid, { v: 1, kind: 'console', node: node.uuid, ask: what })
}

async function startOf({ table }: Platform, node: Node, after: string | undefined): Promise<Start> {
  if (after === undefined || after === '') return { cursor: await headOf(table, node.uuid), isNew: true }
  const [, stream, seq] = /^([0-9a-f-]{36}|)\.(\d{1,12})$/.exec(after) ?? []
  if (stream === undefined) throw new UserError(400, `'${after}' is not where a console was: leave 'after' away.`)
  return { cursor: { stream, seq: Number(seq) }, isNew: false }
}

function textOf({ stream, seq }: ConsoleCursor): string {
  return `${stream}.${seq}`
}
