import { expect, test } from 'vitest'
import { policy } from '../../contract/policy.ts'
import type { Platform } from '../platform.ts'
import { createBaremetal } from './app.ts'
import { permissions } from './permissions.ts'

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
