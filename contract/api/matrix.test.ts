import { fileURLToPath } from 'node:url'
import { expect, it, test } from 'vitest'
import { requiredOf, routeSince } from './matrix.ts'
import { MAXIMUM } from './versions.ts'
import { versionsDocument } from './versions-document.ts'

test('docs/api-versions.md is what the matrix says', async () => {
  const path = fileURLToPath(new URL('../../docs/api-versions.md', import.meta.url))
  await expect(versionsDocument()).toMatchFileSnapshot(path)
})

it.each([
  ['GET', '/v1/nodes/:ident', undefined],
  ['GET', '/v1/portgroups', { since: 23, below: 404 }],
  ['GET', '/v1/portgroups/:portgroup/ports', { since: 24, below: 404 }],
  ['POST', '/v1/allocations', { since: 52, below: 405 }],
  ['GET', '/v1/allocations/:allocation', { since: 52, below: 404 }],
  ['PATCH', '/v1/allocations/:allocation', { since: 57, below: 405 }],
  ['GET', '/v1/nodes/:ident/vmedia', { since: 93, below: 404 }],
  ['POST', '/v1/nodes/:ident/vmedia', { since: 89, below: 404 }],
  ['GET', '/v1/nodes/:ident/traits', { since: 37, below: 406 }],
  ['PUT', '/v1/nodes/:ident/traits/:trait', { since: 37, below: 405 }],
  ['DELETE', '/v1/nodes/:ident/traits', { since: 37, below: 404 }],
  ['GET', '/v1/volumes', undefined],
])('%s %s requires %j', (method, path, required) => {
  expect(requiredOf(method, path)).toEqual(required)
})

it('names no version that there is not', () => {
  for (const { since } of Object.values(routeSince)) {
    expect(since).toBeGreaterThan(1)
    expect(since).toBeLessThanOrEqual(MAXIMUM)
  }
})
