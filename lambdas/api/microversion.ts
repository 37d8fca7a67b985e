import { createMiddleware } from 'hono/factory'
import { matchedRoutes } from 'hono/route'
import { UserError } from '../../contract/api/faults.ts'
import { requiredOf } from '../../contract/api/matrix.ts'
import { exists, MAXIMUM, MINIMUM, negotiate, versionHeaders, versionText } from '../../contract/api/versions.ts'
import { nobody } from '../../contract/identity.ts'
import type { Platform } from '../platform.ts'
import type { ApiConfig } from './config.ts'
import type { Call, Facts } from './context.ts'
import { routeFaultReply } from './errors.ts'
import { flag } from './query.ts'

/** Finds the microversion of a request; every reply, errors too, says which are to be had and which this was. */
export function microversion(platform: Platform, config: ApiConfig) {
  const base = config.publicEndpoint?.replace(/\/+$/, '')
  return createMiddleware<Facts>(async (call, next) => {
    const { req } = call
    const minor = negotiate(req.header(versionHeaders.version), req.header(versionHeaders.generic))
    const requestId = `req-${platform.ids.uuid()}`
    call.set('requestId', requestId)
    call.set('minor', minor ?? MINIMUM)
    call.set('showing', {
      minor: minor ?? MINIMUM,
      base: base ?? new URL(req.url).origin,
    })
    call.set('caller', nobody)
    call.set('ours', req.header('x-bloomery') === '1' || flag('bloomery', req.query('bloomery')) === true)
    await (minor === undefined ? refuse(call) : next())
    // Not by `call.header`, which by now would make the whole reply anew for each.
    const { headers } = call.res
    headers.set(versionHeaders.minimum, versionText(MINIMUM))
    headers.set(versionHeaders.maximum, versionText(MAXIMUM))
    headers.set(versionHeaders.version, versionText(call.var.minor))
    headers.set('openstack-request-id', requestId)
    if (call.var.minor >= 107) headers.set('x-openstack-request-id', requestId)
  })
}

async function refuse(call: Call): Promise<void> {
  const asked = call.req.header(versionHeaders.version) ?? call.req.header(versionHeaders.generic)
  const range = `The supported version range is: [${versionText(MINIMUM)}, ${versionText(MAXIMUM)}].`
  const [, major] = /^\s*(-?\d+)\.-?\d+\s*$/.exec(asked ?? '') ?? []
  const text =
    major === undefined
      ? `Invalid value for X-OpenStack-Ironic-API-Version header: ${asked?.slice(0, 80)}. ${range}`
      : major === '1'
        ? `Version ${asked} was requested but the minor version is not supported by this service. ${range}`
        : `Mutually exclusive versions requested. Version ${asked} requested but not supported by this service. ${range}`
  call.res = routeFaultReply(call, 406, text)
}

/** A field, filter or verb that is newer than the request's version. */
export function requireVersion(call: Call, table: Readonly<Record<string, number>>, names: Iterable<string>): void {
  for (const name of names)
    if (!exists(table, name, call.var.minor)) {
      if (name === 'detail' && table[name] === 43)
        throw new UserError(400, 'Invalid query parameter ?detail=True received.')
      throw new UserError(
        406,
        `Request not acceptable: '${name}' needs API version ${versionText(table[name] ?? 1)} or newer.`,
      )
    }
}

/** A whole resource that is newer is refused as Ironic refuses it: mostly as if it were not there. */
export const gate = createMiddleware<Facts>(async (call, next) => {
  const route = matchedRoutes(call).find(({ method }) => method !== 'ALL')
  const required = route && requiredOf(route.method, route.path)
  if (required && call.var.minor < required.since)
    return routeFaultReply(
      call,
      required.below,
      `Not found: this needs API version ${versionText(required.since)} or newer.`,
    )
  return next()
})
