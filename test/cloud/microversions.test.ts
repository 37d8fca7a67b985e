import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { requiredOf, routeSince } from '../../contract/api/matrix.ts'
import type { Platform } from '../../lambdas/platform.ts'
import { createBaremetal } from '../../lambdas/api/app.ts'
import { type ControlPlane, openControlPlane } from './control-plane.ts'

/** Every route at the version that brings it and at the one before (reference §10.1), on a node that there is. */
const app = createBaremetal({} as Platform, { publicEndpoint: null, auth: { strategy: 'noauth' } })
const routes = [
  ...new Set(app.routes.filter(({ method }) => method !== 'ALL').map(({ method, path }) => `${method} ${path}`)),
]
const rows = routes.flatMap((route) => {
  const [method = '', path = ''] = route.split(' ')
  const required = requiredOf(method, path)
  return required ? [{ method, path, ...required }] : []
})

let cloud: ControlPlane
beforeAll(async () => {
  cloud = await openControlPlane()
  await cloud.client.nodes.create({ name: 'n', driver: 'ipmi' })
})
afterAll(() => cloud[Symbol.asyncDispose]())

const ask = async (method: string, path: string, minor: number, body = method === 'GET' ? undefined : '{}') => {
  const concrete = path.replaceAll(':ident', 'n').replaceAll(':name', 'ipmi').replaceAll(/:\w+/g, 'none')
  const headers = { 'x-openstack-ironic-api-version': `1.${minor}` }
  const reply = await cloud.request(concrete, { method, headers, body })
  return { status: reply.status, text: await reply.text() }
}
const isGate = (text: string): boolean => text.includes('this needs API version')

describe('a route that came later', () => {
  it('is in the table, all of them', () => {
    expect(rows.length).toBeGreaterThan(60)
    const covered = Object.keys(routeSince).filter((line) =>
      rows.some(({ method, path }) => `${method} ${path}`.includes(line.replace(/^\w+ /, ''))),
    )
    expect(covered).toEqual(Object.keys(routeSince))
  })

  it.each(rows)('$method $path answers $below below 1.$since and is there from then on', async (row) => {
    for (const minor of [row.since - 1, Math.max(1, row.since - 10)]) {
      const early = await ask(row.method, row.path, minor)
      expect([early.status, isGate(early.text)]).toEqual([row.below, true])
    }
    const then = await ask(row.method, row.path, row.since)
    expect(then.status).toBeLessThan(500)
    expect([then.status, isGate(then.text)]).not.toContain(true)
    expect(then.status).not.toBe(405)
  })
})

describe('what is younger than the request', () => {
  it.each(['nodes', 'ports', 'chassis', 'portgroups'])(
    '%s take ?detail=true from 1.43 on, and call it invalid before',
    async (path) => {
      const early = await ask('GET', `/v1/${path}?detail=true`, 42)
      expect(early.status).toBe(400)
      expect(early.text).toContain('Invalid query parameter ?detail=True received.')
      expect((await ask('GET', `/v1/${path}?detail=true`, 43)).status).toBe(200)
    },
  )

  it.each([
    ['/v1/nodes?fields=shard', 81, 82],
    ['/v1/nodes?shard=a', 81, 82],
    ['/v1/nodes?sort_key=owner', 49, 50],
    ['/v1/nodes?fields=uuid', 7, 8],
    ['/v1/ports?fields=description', 96, 97],
    ['/v1/ports?conductor_groups=a', 98, 99],
    ['/v1/chassis?fields=uuid', 7, 8],
    ['/v1/portgroups?fields=mode', 25, 26],
    ['/v1/portgroups?shard=a', 105, 106],
    ['/v1/allocations?owner=o', 59, 60],
    ['/v1/runbooks?fields=description', 111, 112],
    ['/v1/drivers?type=dynamic', 29, 30],
    ['/v1/drivers?fields=name', 76, 77],
  ])('%s is refused at 1.%i and answered at 1.%i', async (path, before, since) => {
    expect((await ask('GET', path, before)).status).toBe(406)
    expect((await ask('GET', path, since)).status).toBe(200)
  })

  it.each(['connectors', 'targets'])('is not the detail of volume %s, which they always had', async (kind) => {
    expect((await ask('GET', `/v1/volume/${kind}?detail=true`, 32)).status).toBe(200)
  })

  it('is left out of replies', async () => {
    const shown = async (minor: number) =>
      Object.keys(JSON.parse((await ask('GET', '/v1/nodes/n', minor)).text) as object)
    expect(await shown(49)).not.toContain('owner')
    expect(await shown(50)).toContain('owner')
    expect(await shown(23)).not.toContain('portgroups')
    expect(await shown(32)).toEqual(expect.arrayContaining(['portgroups', 'volume']))
  })

  it('is in the root document once it is there', async () => {
    const shown = async (minor: number) => Object.keys(JSON.parse((await ask('GET', '/v1', minor)).text) as object)
    expect(await shown(1)).toEqual(expect.arrayContaining(['chassis', 'nodes', 'ports', 'drivers', 'media_types']))
    expect(await shown(22)).not.toContain('portgroups')
    expect(await shown(115)).toEqual(
      expect.arrayContaining(['portgroups', 'volume', 'lookup', 'heartbeat', 'allocations', 'events', 'runbooks']),
    )
  })
})
