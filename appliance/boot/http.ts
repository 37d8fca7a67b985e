import { once } from 'node:events'
import type { Server } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { createAdaptorServer, type HttpBindings } from '@hono/node-server'
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response'
import { Hono } from 'hono'
import type { LeaseStore } from '@bloomery/dhcp/lease.ts'
import { withToken } from '../installers/kickstart.ts'
import type { Log } from '../log.ts'
import { mediaApp } from '../media/http.ts'
import type { BootMedia } from '../media/media.ts'
import type { Metrics } from '../metrics.ts'
import type { Notices } from '../notices.ts'
import type { Addresses6 } from './addresses6.ts'
import { type BootPart, ISO, KICKSTART, MEDIUM, pathOfPart, STAGE2 } from './boot-part.ts'
import { bootUse } from './boot-use.ts'
import type { Discovery } from './discovery.ts'
import type { BootFiles } from './files.ts'
import { answerFile, askedRange, sendFile } from './http-file.ts'
import { loaderNames } from './loaders.ts'
import { type BootDirectory, type BootEvents, hookedVolumes } from './machine.ts'
import { localScript, ramdiskScript } from './script.ts'
import type { Transfers } from './transfers.ts'
import { volumeScript } from './volume-script.ts'

export interface BootHttpParts {
  media?: BootMedia
  files: BootFiles
  /** The image cache, where instances have what they boot. */
  imageDir?: string
  directory: BootDirectory
  /** Who installs a machine says who it is with this. */
  installerToken?: (node: string) => string | undefined
  notices: Notices
  leases: Pick<LeaseStore, 'byAddress'>
  addresses6?: Pick<Addresses6, 'macAt'>
  discovery: Discovery
  events: BootEvents
  log: Log
  metrics: Metrics
  transfers?: Transfers
}

const PARTS = new Set<string>([
  'kernel',
  'initrd',
  MEDIUM,
  ISO,
  KICKSTART,
  'squashfs.img',
  'script.ipxe',
  'local.ipxe',
  ...Object.values(loaderNames),
])

/** Scripts, kernels and ramdisks, to who has the token of a boot that is still due; loaders for UEFI HTTP boot to anybody. */
export function bootApp(parts: BootHttpParts): Hono<{ Bindings: HttpBindings }> {
  const { files, imageDir, events, log, metrics } = parts
  const app = new Hono<{ Bindings: HttpBindings }>()
  const text = { 'content-type': 'text/plain; charset=utf-8' }
  const boots = bootUse(parts)

  app.use(async (c, next) => {
    await next()
    const part = c.req.path.split('/').at(-1) ?? ''
    const status = c.env.outgoing.headersSent ? c.env.outgoing.statusCode : c.res.status
    metrics.count('bloomery_http_requests_total', { part: PARTS.has(part) ? part : 'other', status })
  })

  if (parts.media) app.route('/', mediaApp({ ...parts, media: parts.media, boots }))

  app.get('/local.ipxe', (c) => c.body(localScript, 200, text))

  app.get('/loader/:name', (c) => {
    const found = [...files.loaders].find(([loader]) => loaderNames[loader] === c.req.param('name'))
    if (found === undefined) return c.text('no such loader\n', 404)
    return c.body(Uint8Array.from(found[1]), 200, {
      'content-type': 'application/efi', // UEFI 2.10 §24.7.3: what the firmware may start
      'content-length': String(found[1].length),
    })
  })

  app.get('/boot/:token/script.ipxe', (c) => {
    const boot = boots.allowed(c.req.param('token'), 'script', c.env.incoming.socket.remoteAddress)
    if (boot === undefined) return overNow()
    const { machine, mac } = boot
    const volumes = hookedVolumes(machine)
    // What isn't fetched costs no token.
    const secrets = volumes && c.req.method === 'GET' ? parts.directory.unlock?.(c.req.param('token')) : undefined
    const script = volumes ? volumeScript(machine, volumes, secrets) : ramdiskScript(machine, mac, c.req.param('token'))
    if (c.req.method === 'GET') events.seen(mac, 'script')
    log.info({ node: machine.node, mac, generation: machine.generation }, 'boot script served')
    return c.body(script, 200, text)
  })

  app.get('/boot/:token/:part{(?:kernel|initrd|instance\\.iso|LiveOS/squashfs\\.img)}', async (c) => {
    const part = c.req.param('part') as BootPart
    const boot = boots.allowed(c.req.param('token'), part, c.env.incoming.socket.remoteAddress)
    if (boot === undefined) return overNow()
    const { machine, mac } = boot
    const path = pathOfPart({ files, imageDir }, machine, part)
    if (path === undefined) return c.text(`no ${part} for this machine, which is ${machine.arch}\n`, 404)
    const answer = await answerFile(path, askedRange(c.req))
    const { range } = answer
    if (c.req.method === 'HEAD' || range === undefined) return c.body(null, answer.status, answer.headers)
    const sent = (bytes: number, size: number): void => {
      metrics.count('bloomery_http_bytes_total', {}, bytes)
      events.seen(mac, part === ISO ? 'iso' : part === STAGE2 ? 'stage2' : part, { bytes, size })
      // An ISO is read piece by piece.
      log[part === ISO ? 'debug' : 'info']({ node: machine.node, mac, part, bytes, size }, `${part} sent`)
    }
    const send = () => sendFile(c.env.outgoing, path, { ...answer, range }, sent)
    await (parts.transfers?.during(send) ?? send())
    return RESPONSE_ALREADY_SENT
  })

  app.get(`/boot/:token/${KICKSTART}`, (c) => {
    const boot = boots.allowed(c.req.param('token'), KICKSTART, c.env.incoming.socket.remoteAddress)
    if (boot === undefined) return overNow()
    const { machine, mac } = boot
    const token = parts.installerToken?.(machine.node)
    const { kickstart } = machine.instance ?? {}
    if (kickstart === undefined || token === undefined) return c.text('this machine installs nothing\n', 404)
    if (c.req.method === 'GET') events.seen(mac, 'kickstart')
    log.info({ node: machine.node, mac, generation: machine.generation }, 'kickstart served')
    return c.body(withToken(kickstart, token), 200, text)
  })

  app.notFound((c) => c.text('not found\n', 404))
  app.onError((error, c) => {
    // A client that hangs up is no failure of ours, and there is nobody left to tell.
    if (c.env.outgoing.headersSent) {
      log.warn({ err: error, path: c.req.routePath }, `HTTP transfer broke off: ${error.message}`)
      c.env.outgoing.destroy()
      return RESPONSE_ALREADY_SENT
    }
    log.error({ err: error }, `HTTP boot: ${error.message}`)
    return c.text('internal error, see the log of the appliance\n', 500)
  })
  return app
}

export interface BootHttp {
  port: number
  stop(): Promise<void>
}

export const BOOT_HTTP_PORT = 8_080
const IDLE_MS = 60_000
const MAX_CONNECTIONS = 1_024
/** Of one address: nobody alone takes all there are. */
const MAX_PER_CLIENT = 256

export interface BootHttpConfig {
  port?: number
  host?: string
  /** PEM. */
  tls?: { cert: string; key: string }
}

export async function startBootHttp(config: BootHttpConfig, app: ReturnType<typeof bootApp>): Promise<BootHttp> {
  // Firmware's TLS may be built without elliptic curves: key exchange by finite fields must be had too.
  const tls = config.tls && { createServer: createTlsServer, serverOptions: { ...config.tls, dhparam: 'auto' } }
  const server = createAdaptorServer({ fetch: app.fetch, ...tls }) as Server
  server.maxConnections = MAX_CONNECTIONS
  server.setTimeout(IDLE_MS)
  limitPerClient(server)
  server.listen(config.port ?? BOOT_HTTP_PORT, config.host ?? '0.0.0.0')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    async stop() {
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closed
    },
  }
}

function limitPerClient(server: Server): void {
  const open = new Map<string, number>()
  server.on('connection', (socket) => {
    const { remoteAddress = '' } = socket
    const count = (open.get(remoteAddress) ?? 0) + 1
    open.set(remoteAddress, count)
    socket.once('close', () => {
      const left = (open.get(remoteAddress) ?? 1) - 1
      if (left > 0) open.set(remoteAddress, left)
      else open.delete(remoteAddress)
    })
    if (count > MAX_PER_CLIENT) socket.destroy()
  })
}

function overNow(): Response {
  return new Response('this boot is over\n', { status: 403 })
}
