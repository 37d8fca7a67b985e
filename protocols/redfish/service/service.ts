import { createHash } from 'node:crypto'
import { type Clock, systemClock } from '../clock.ts'
import { type JsonObject, linksAt, listAt, objectOf } from '../json.ts'
import { accountRoutes } from './accounts.ts'
import { biosRoutes } from './bios.ts'
import { bootOptionRoutes } from './boot-options.ts'
import { certificateServiceRoutes } from './certificates.ts'
import { dellRoutes } from './dell.ts'
import { dellRaidRoutes } from './dell-raid.ts'
import { configurationRoutes } from './dell-configuration.ts'
import { chassisRoutes } from './chassis.ts'
import { eventRoutes } from './events.ts'
import { type Dialect, standardDialect } from './dialect.ts'
import { hardwareRoutes } from './hardware.ts'
import { type Machine, Refusal } from './machine.ts'
import { managerRoutes } from './managers.ts'
import { mediaRoutes } from './media.ts'
import { networkAdapterRoutes } from './network-adapters.ts'
import { networkProtocolRoutes } from './network-protocol.ts'
import { registryRoutes } from './registries.ts'
import { rootRoutes } from './root.ts'
import type { Call, Result, Route } from './route.ts'
import { secureBootRoutes } from './secure-boot.ts'
import { sensorRoutes } from './sensors.ts'
import { simpleStorageRoutes } from './simple-storage.ts'
import { authenticate, sessionRoutes } from './sessions.ts'
import { newState, type State, type User } from './state.ts'
import { storageRoutes } from './storage.ts'
import { systemRoutes } from './systems.ts'
import { taskRoutes } from './tasks.ts'
import { updateRoutes } from './update.ts'

export interface ServiceOptions {
  users: readonly User[]
  machine: Machine
  dialect?: Dialect
  clock?: Clock
  /** PEM; its certificate is told, and can be replaced. */
  tls?: { key: string; cert: string }
  /** What broke in the machine; the console that asked gets 500. */
  onError(this: void, error: unknown): void
}

export interface ServiceRequest {
  method: string
  /** Path and query. */
  path: string
  headers: Readonly<Record<string, unknown>>
  body: string | Uint8Array
}

export interface Service {
  readonly state: State
  handle(request: ServiceRequest): Promise<Result>
}

type Verb = 'get' | 'patch' | 'post' | 'delete'
const verbs: Readonly<Record<string, Verb>> = {
  GET: 'get',
  HEAD: 'get',
  PATCH: 'patch',
  POST: 'post',
  DELETE: 'delete',
}

/** A BMC without a socket. */
export function createService(options: ServiceOptions): Service {
  const { machine, users, dialect = standardDialect, clock = systemClock, tls } = options
  const state = newState(machine, dialect, users, clock, tls)
  const makers = [rootRoutes, sessionRoutes, systemRoutes, hardwareRoutes, biosRoutes, secureBootRoutes, storageRoutes]
  const others = [
    managerRoutes,
    mediaRoutes,
    chassisRoutes,
    taskRoutes,
    updateRoutes,
    accountRoutes,
    eventRoutes,
    dellRoutes,
    dellRaidRoutes,
    configurationRoutes,
    certificateServiceRoutes,
    bootOptionRoutes,
    networkProtocolRoutes,
    networkAdapterRoutes,
    sensorRoutes,
    simpleStorageRoutes,
    registryRoutes,
  ]
  const router = new Router([...makers, ...others].flatMap((make) => make(state)))
  return { state, handle: (request) => answer(state, router, request, options.onError) }
}

async function answer(
  state: State,
  router: Router,
  request: ServiceRequest,
  onError: (error: unknown) => void,
): Promise<Result> {
  try {
    return await dispatch(state, router, request)
  } catch (error) {
    if (error instanceof Refusal) return { status: error.status, body: error.body() }
    onError(error)
    return { status: 500, body: new Refusal(500, 'InternalError').body() }
  }
}

async function dispatch(state: State, router: Router, request: ServiceRequest): Promise<Result> {
  const url = new URL(request.path, 'http://bmc')
  const path = url.pathname.length > 1 ? url.pathname.replace(/\/$/, '') : url.pathname
  const verb = verbs[request.method]
  const found = router.find(path)
  const user = authenticate(state, request.headers)
  if (!user && !(verb && found?.route.open?.includes(verb))) throw new Refusal(401, 'NoValidSession')
  if (!found) throw new Refusal(404, 'ResourceMissingAtURI', [path])
  const { route, at } = found
  if (!verb || !route[verb]) throw new Refusal(405, 'OperationNotAllowed')
  if (verb !== 'get' && user?.role === 'ReadOnly') throw new Refusal(403, 'InsufficientPrivilege')
  const bytes = Buffer.from(request.body)
  const body = route.raw ? {} : bodyOf(bytes.toString('utf8'))
  const call: Call = { at, body, user: user?.name ?? '', headers: request.headers, bytes }
  if (verb === 'get' && route.stream) return route.stream(call)
  if (verb === 'get') return read(state, router, route, call, path, url.searchParams)
  if (verb !== 'patch') return route[verb]!(call)
  await checkMatch(state, route, call, path, request.headers['if-match'])
  const told = await route.patch!(call)
  return isResult(told) ? told : { status: 204 }
}

function isResult(told: unknown): told is Result {
  return typeof told === 'object' && told !== null && 'status' in told
}

async function read(
  state: State,
  router: Router,
  route: Route,
  call: Call,
  path: string,
  query: URLSearchParams,
): Promise<Result> {
  const expand = query.get('$expand')
  const body = paged(state, path, Number(query.get('$skip') ?? 0), {
    '@odata.id': path,
    ...(await route.get!(call)),
  })
  const etag = etagOf(state, body)
  if (expand === null)
    return { status: route.status?.(call) ?? 200, headers: { etag }, body: { ...body, '@odata.etag': etag } }
  if (!state.dialect.expand) throw new Refusal(501, 'QueryNotSupported')
  const Members = await Promise.all(
    linksAt(body, 'Members').map(async (link) => {
      const member = router.find(link)
      const whole = await member?.route.get?.({ ...call, at: member.at })
      return { '@odata.id': link, ...whole }
    }),
  )
  return { status: 200, body: { ...body, Members } }
}

/** DSP0266 §8.5: a part of the members, and where the next is. */
function paged({ dialect: { pageSize } }: State, path: string, skip: number, body: JsonObject): JsonObject {
  const members = listAt(body, 'Members')
  if (pageSize === undefined || members.length <= pageSize) return body
  const next = skip + pageSize
  return {
    ...body,
    Members: members.slice(skip, next),
    ...(next < members.length ? { 'Members@odata.nextLink': `${path}?$skip=${next}` } : {}),
  }
}

async function checkMatch(state: State, route: Route, call: Call, path: string, given: unknown): Promise<void> {
  const { ifMatch } = state.dialect
  if (given === undefined && ifMatch) throw new Refusal(428, 'PreconditionRequired')
  if (given === undefined || given === '*' || !route.get) return
  const etag = etagOf(state, { '@odata.id': path, ...(await route.get(call)) })
  const expected = ifMatch === 'strong' ? etag.replace(/^W\//, '') : etag
  if (given !== expected) throw new Refusal(412, 'PreconditionFailed')
}

function etagOf({ dialect }: State, body: JsonObject): string {
  const digest = `"${createHash('sha1').update(JSON.stringify(body)).digest('hex').slice(0, 16)}"`
  return dialect.ifMatch === 'strong' ? `W/${digest}` : digest
}

function bodyOf(text: string): JsonObject {
  if (text === '') return {}
  try {
    const body = objectOf(JSON.parse(text))
    if (body) return body
  } catch {
    // Told below.
  }
  throw new Refusal(400, 'MalformedJSON')
}

class Router {
  readonly #fixed = new Map<string, Route>()
  readonly #named: Route[] = []

  constructor(routes: readonly Route[]) {
    for (const route of routes) {
      if (route.path.includes('/:')) this.#named.push(route)
      else this.#fixed.set(route.path, route)
    }
  }

  find(path: string): { route: Route; at: Record<string, string> } | undefined {
    const fixed = this.#fixed.get(path)
    if (fixed) return { route: fixed, at: {} }
    for (const route of this.#named) {
      const parent = route.path.slice(0, route.path.lastIndexOf('/:'))
      const last = path.slice(parent.length + 1)
      if (path.startsWith(`${parent}/`) && last !== '' && !last.includes('/'))
        return { route, at: { [route.path.slice(parent.length + 2)]: last } }
    }
    return undefined
  }
}
