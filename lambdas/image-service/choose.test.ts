import { expect, it } from 'vitest'
import { chosen, sorted } from './choose.ts'
import type { ImageView } from './view.ts'

type View = ImageView & Record<string, unknown>
const image = (name: string, more: object = {}): View =>
  ({
    id: name,
    name,
    tags: [],
    size: null,
    status: 'queued',
    created_at: '2026-01-01T00:00:00Z',
    ...more,
  }) as unknown as View
const names = (views: View[]): unknown[] => views.map(({ name }) => name)

const [a, b, c] = [
  image('a', { size: 10, tags: ['x', 'y'], created_at: '2026-01-03T00:00:00Z', os_distro: 'debian' }),
  image('b', { size: 20, tags: ['x'], created_at: '2026-01-02T00:00:00Z', 'with,comma': 'p,q' }),
  image('c', { status: 'active' }),
]
const all = [a, b, c]

it.each([
  [{ name: ['in:a,c'] }, ['a', 'c']],
  [{ tag: ['x', 'y'] }, ['a']],
  [{ size_min: ['15'] }, ['b']],
  [{ size_min: ['1'], size_max: ['10'] }, ['a']],
  [{ os_distro: ['debian'] }, ['a']],
  [{ 'with,comma': ['in:"p,q",r'] }, ['b']],
  [{ created_at: ['gte:2026-01-02T00:00:00Z', 'lt:2026-01-03T00:00:00Z'] }, ['b']],
  [{ unheard_of: ['x'] }, []],
  [{}, ['a', 'b', 'c']],
])('images with %j are %j', (query, wanted) => {
  expect(names(chosen(all, query))).toEqual(wanted)
})

it.each([
  [{}, ['a', 'b', 'c']],
  [{ sort: ['status:asc,name:desc'] }, ['c', 'b', 'a']],
  [{ sort_key: ['size'], sort_dir: ['asc'] }, ['c', 'a', 'b']],
])('by %j they come as %j', (query, wanted) => {
  expect(names(sorted(all, query))).toEqual(wanted)
})

it('says which key, direction, time or size it does not understand', () => {
  expect(() => sorted(all, { sort: ['weight'] })).toThrow(/Invalid sort key: weight/)
  expect(() => sorted(all, { sort: ['name:up'] })).toThrow(/Invalid sort direction: up/)
  expect(() => chosen(all, { created_at: ['gt:yesterday'] })).toThrow(/Invalid time/)
  expect(() => chosen(all, { size_min: ['much'] })).toThrow(/size_min/)
})
