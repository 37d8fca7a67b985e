import { expect, it } from 'vitest'
import { openApi } from './openapi.ts'
import { permissions } from './permissions.ts'

interface Document {
  paths: Record<string, Record<string, { operationId: string; parameters: Array<{ name?: string; in?: string }> }>>
  components: Record<string, Record<string, { properties?: Record<string, Record<string, unknown>> }>>
}
const text = JSON.stringify(openApi(), undefined, 2)
const document = JSON.parse(text) as Document
const operations = Object.entries(document.paths).flatMap(([path, item]) =>
  Object.entries(item).map(([method, operation]) => ({ path, method, ...operation })),
)

it('docs/openapi.json is what the tables make (vitest -u writes it anew)', async () => {
  await expect(`${text}\n`).toMatchFileSnapshot('../../docs/openapi.json')
})

it('every route that is served is in it, by an id of its own', () => {
  expect(operations).toHaveLength(Object.keys(permissions).length)
  expect(new Set(operations.map(({ operationId }) => operationId)).size).toBe(operations.length)
})

it('every reference leads somewhere', () => {
  for (const [, kind, name] of text.matchAll(/#\/components\/(\w+)\/(\w+)/g))
    expect(document.components[kind!], `${kind}/${name}`).toHaveProperty(name!)
})

it('what a path names is declared', () => {
  for (const { path, parameters, operationId } of operations) {
    const declared = parameters.filter((each) => each.in === 'path').map(({ name }) => name)
    expect(declared, operationId).toEqual([...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name))
  }
})

it('fields that are newer say since when, and what is not shown is not there', () => {
  const { properties = {} } = document.components['schemas']!['Node']!
  expect(properties['owner']).toMatchObject({ 'x-since': '1.50' })
  expect(properties).not.toHaveProperty('generation')
  expect(properties).toHaveProperty('links')
})
