import { readFile } from 'node:fs/promises'
import type { Hono } from 'hono'
import { pathOf } from '../lambdas/api/app.ts'
import { createApi } from '../lambdas/app.ts'
import type { ApiConfig } from '../lambdas/api/config.ts'
import { onChange } from '../lambdas/conductor/on-change.ts'
import { tick } from '../lambdas/periodic/tick.ts'
import type { Clock, Ids, Log } from '../lambdas/platform.ts'
import { onUplinks } from '../lambdas/reports/on-uplink.ts'
import type { Config } from './config.ts'
import { openGround, type Ground } from './ground.ts'
import { cannotListen } from './cannot-listen.ts'
import { listen, type HttpOptions, type HttpServer } from './http.ts'
import { ImageImports } from './image-imports.ts'
import { keystoneAuth } from './keystone.ts'
import { consumeUplinks } from './uplinks.ts'
import { Worker } from './worker.ts'

const TICK_MS = 15_000
const SWEEP_EVERY_TICKS = 240

export interface Cloud {
  /** Of the API. */
  endpoint: string
  broker: string
  /** PEM that signs the broker, and the API where it has TLS. */
  authorities: string
  stop(): Promise<void>
}

/** The whole cloud in this process: the same functions that AWS calls, each fed by its adapter here. */
export async function startCloud(config: Config, clock: Clock, ids: Ids, log: Log): Promise<Cloud> {
  let endpoint = config.publicUrl ?? ''
  const ground = await openGround({
    dataDir: config.dataDir,
    clock,
    ids,
    log,
    broker: config.broker,
    names: config.names,
    conductor: config.conductor,
    webhooks: config.webhooks,
    publicUrl: () => endpoint,
  })
  let http: HttpServer | undefined
  const stops: Array<() => Promise<void>> = []
  const stop = async (): Promise<void> => {
    await http?.close()
    await Promise.all(stops.map((each) => each()))
    await ground.close()
  }
  try {
    const auth = await authOf(config, ground)
    const api: { answer?: Hono } = {}
    const tls = config.tls ? ground.serverCertificate : undefined
    const at = { host: config.host, port: config.port }
    http = await listen({ fetch: dispatch(ground, api), ...at, tls }).catch((error: unknown) => {
      throw cannotListen('API', at, error)
    })
    endpoint ||= `${tls ? 'https' : 'http'}://${bracketed(config.host)}:${http.port}`
    const imports = new ImageImports(ground.platform, ground.blobs, ground.webhooks)
    stops.push(() => imports.stop())
    api.answer = createApi(
      ground.platform,
      { publicEndpoint: endpoint, auth, streaming: true, webhooks: ground.webhooks },
      imports,
    )
    stops.push(...functions(ground, log))
  } catch (error) {
    await stop()
    throw error
  }
  return { endpoint, broker: ground.brokerUrl, authorities: ground.authority.pem, stop }
}

/** The API is made when the port is known, for its links. What an answer tells of is on disk before it is told. */
function dispatch({ blobRoutes, table }: Ground, api: { answer?: Hono }): HttpOptions['fetch'] {
  return async (request, environment) => {
    if (pathOf(request.url).startsWith('/blobs/')) return blobRoutes.fetch(request, environment)
    const answer = await (api.answer?.fetch(request, environment) ?? new Response('starting', { status: 503 }))
    await table.database.durable()
    return answer
  }
}

function functions({ platform, table, reports }: Ground, log: Log): Array<() => Promise<void>> {
  let ticks = 0
  const periodic = new Worker(
    async () => {
      await tick(platform)
      if (ticks % SWEEP_EVERY_TICKS === 0) await table.sweep()
      ticks += 1
      return { rest: TICK_MS }
    },
    (error) => log.error({ error: String(error) }, 'periodic failed'),
  )
  return [
    table.subscribe('conductor', (changes) => onChange(platform, changes)),
    consumeUplinks(reports, (appliance, payloads) => onUplinks(platform, appliance, payloads), log),
    () => periodic.stop(),
  ]
}

async function authOf({ auth, dataDir }: Config, { platform }: Ground): Promise<ApiConfig['auth']> {
  if (auth.strategy === 'noauth') return auth
  if (auth.strategy === 'keystone') return keystoneAuth(dataDir, platform, auth.tokenSeconds)
  const htpasswd = await readFile(auth.htpasswdFile, 'utf8').catch((cause: unknown) => {
    throw new Error(`cannot read the users file ${auth.htpasswdFile}`, { cause })
  })
  return { strategy: 'http_basic', htpasswd }
}

function bracketed(host: string): string {
  return host.includes(':') ? `[${host}]` : host
}
