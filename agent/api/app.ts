import { createHash, timingSafeEqual } from 'node:crypto'
import { type Context, Hono } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { HTTPException } from 'hono/http-exception'
import type { ContentfulStatusCode } from 'hono/utils/http-status'
import { commandRequest } from '../../contract/agent.ts'
import { CommandFailure } from '../failure.ts'
import { reason, type Log } from '../log.ts'
import type { CommandLedger } from './commands.ts'

export interface Api {
  ledger: CommandLedger
  log: Log
  version: string
  /** Seconds since the epoch. */
  startedAt: number
  /** Absent only when the agent stands alone, with no API to be given a token by. */
  token?: string
}

/** A config drive of 64 MiB, gzipped and in base64, and what goes with it. */
const largestBody = 96 * 1024 * 1024

/** As the server of Node hands requests over; absent where there is none. */
export interface Connected {
  Bindings: { incoming?: { socket: { remoteAddress?: string } } }
}

const MOST_KNOWN = 64

/** The agent's own API: the site calls it with the token that both know. */
export function createApp({ ledger, log, version, startedAt, token }: Api): Hono<Connected> {
  const app = new Hono<Connected>({ strict: false })

  app.onError((error, context) => {
    const status = statusOf(error)
    if (status >= 500) log.error('request failed', { path: context.req.path, because: reason(error) })
    const faultstring = error instanceof CommandFailure || status < 500 ? error.message : 'Internal error'
    return context.json({ faultcode: status < 500 ? 'Client' : 'Server', faultstring }, status)
  })
  app.notFound((context) => context.json({ faultcode: 'Client', faultstring: 'Not found' }, 404))

  /** Who has shown the token since this boot. */
  const known = new Set<string>()
  const guard = (context: Context<Connected>): void => {
    if (token === undefined) return
    const given = context.req.query('agent_token')
    if (given === undefined || !timingSafeEqual(digest(given), digest(token)))
      throw new HTTPException(401, { message: 'Token invalid.' })
    const from = addressOf(context)
    if (from !== undefined && known.size < MOST_KNOWN) known.add(from)
  }
  /** Ironic's conductors of before 2024 send no token with the question what became of their commands. */
  const guardReading = (context: Context<Connected>): void => {
    const from = addressOf(context)
    if (context.req.query('agent_token') === undefined && from !== undefined && known.has(from)) return
    guard(context)
  }

  app.get('/', (context) => {
    const v1 = { id: 'v1', links: [link(context.req.url, 'self', 'v1')] }
    const description = 'Carries out what the site decides on this server: erases, writes images, powers off.'
    return context.json({ name: 'Bloomery agent API', description, versions: [v1], default_version: v1 })
  })
  app.get('/v1', (context) => {
    const to = (path: string) => [link(context.req.url, 'self', `v1/${path}`)]
    const media_types = [{ base: 'application/json', type: 'application/vnd.openstack.ironic-python-agent.v1+json' }]
    const links = [link(context.req.url, 'self', 'v1')]
    return context.json({ id: 'v1', commands: to('commands'), status: to('status'), links, media_types })
  })
  app.get('/v1/status', (context) => context.json({ started_at: startedAt, version }))

  app.get('/v1/commands', (context) => {
    guardReading(context)
    return context.json({ commands: ledger.list() })
  })
  app.get('/v1/commands/:id', async (context) => {
    guardReading(context)
    return context.json(await ledger.find(context.req.param('id'), context.req.query('wait') === 'true'))
  })
  app.post('/v1/commands', async (context, next) => {
    // Before the body: a stranger's 96 MiB are not worth reading.
    guard(context)
    await next()
  })
  app.post('/v1/commands', bodyLimit({ maxSize: largestBody }), async (context) => {
    const parsed = commandRequest.safeParse(await context.req.json().catch(() => undefined))
    if (!parsed.success) {
      const faults = parsed.error.issues.map((issue) => `${issue.path.join('.') || 'body'}: ${issue.message}`)
      throw new HTTPException(400, { message: `Invalid command request: ${faults.join('; ')}` })
    }
    const { name, params } = parsed.data
    return context.json(await ledger.start(name, params, context.req.query('wait') === 'true'))
  })
  return app
}

function statusOf(error: unknown): ContentfulStatusCode {
  if (error instanceof HTTPException) return error.status as ContentfulStatusCode
  return (error instanceof CommandFailure ? error.code : 500) as ContentfulStatusCode
}

function addressOf({ env }: Context<Connected>): string | undefined {
  return env?.incoming?.socket.remoteAddress
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}

function link(url: string, rel: string, path: string) {
  return { href: new URL(`/${path}/`, url).href, rel }
}
