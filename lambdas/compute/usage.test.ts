import { expect, it } from 'vitest'
import { usageOf } from './usage.ts'

const hour = 3_600_000
const at = (hours: number): string => new Date(hours * hour).toISOString()
const flavor = { uuid: 'f', name: 'f', vcpus: 2, ram: 1024, disk: 10, ephemeral: 0, swap: 0, extra_specs: {} }
const server = (launched: number | null, ended?: number) => ({
  uuid: 'u',
  name: 'web',
  project_id: 'p',
  flavor,
  created_at: at(0),
  launched_at: launched === null ? null : at(launched),
  state: 'active' as const,
  ...(ended === undefined ? {} : { ended_at: at(ended) }),
})
const span = { start: 10 * hour, stop: 20 * hour }

it.each([
  ['ran before, and goes on', server(5), 10],
  ['began within', server(15), 5],
  ['began and ended within', server(12, 14), 2],
  ['ended within', server(5, 12), 2],
])('of one that %s the hours within the span count', (_, each, hours) => {
  expect(usageOf('p', [each], span)).toMatchObject({ total_hours: hours, total_vcpus_usage: 2 * hours })
})

it.each([
  ['ended before', server(1, 9)],
  ['began after', server(21)],
  ['never ran', server(null)],
])('one that %s is not in it', (_, each) => {
  expect(usageOf('p', [each], span).server_usages).toEqual([])
})

it('one that is gone says when it went', () => {
  expect(usageOf('p', [server(12, 14)], span).server_usages).toMatchObject([
    { state: 'terminated', ended_at: at(14).slice(0, -1), uptime: 2 * 3600 },
  ])
})
