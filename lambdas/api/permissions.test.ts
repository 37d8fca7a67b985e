import { expect, test } from 'vitest'
import { policy } from '../../contract/policy.ts'
import type { Platform } from '../platform.ts'
import { createBaremetal } from './app.ts'
import { permissions } from './permissions.ts'
import { routes as clients } from '../../contract/api/routes.ts'

const app = createBaremetal({} as Platform, { publicEndpoint: null, auth: { strategy: 'noauth' } })
const routes = app.routes.filter(({ method }) => method !== 'ALL').map(({ method, path }) => `${method} ${path}`)

test('every route names its rules, and no line is of a route that is not', () => {
  expect(routes.length).toBeGreaterThan(40)
  expect([...new Set(routes)].sort()).toEqual(Object.keys(permissions).sort())
})

test('the rules exist, and only what has its own credential or none to protect goes without', () => {
  for (const rule of Object.values(permissions).flat()) expect(Object.keys(policy)).toContain(rule)
  const open = Object.keys(permissions).filter((route) => permissions[route]?.length === 0)
  expect(open).toEqual([
    'GET /',
    'GET /v1',
    'POST /v1/enrol',
    'GET /v1/openapi.json',
    'GET /v1/lookup',
    'POST /v1/heartbeat/:ident',
    'POST /v1/continue_inspection',
  ])
})

/** Other paths to what the client has, and the door of deploy ramdisks, which is on site. */
const notOfTheClient =
  /\/detail$|^GET \/v1$|\/vendor_passthru\/:method$|^GET \/v1\/lookup$|heartbeat|continue_inspection/

test('the client has a function for each route, and none for what is not served', () => {
  const called = Object.values(clients).flatMap((table) =>
    Object.values(table).map(({ method, path }) => `${method} ${withoutNames(path)}`),
  )
  const served = Object.keys(permissions).filter((route) => !notOfTheClient.test(route))
  expect(new Set(called)).toEqual(new Set(served.map(withoutNames)))
})

const withoutNames = (path: string): string => path.replaceAll(/:\w+/g, ':')
