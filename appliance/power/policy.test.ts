import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { policyOf, powerConfig } from './policy.ts'

it('is all told of in docs/options.md, which tells of no other', () => {
  const text = readFileSync(new URL('../../docs/options.md', import.meta.url), 'utf8')
  const [, site = ''] = text.split('\n## At a site')
  // Other tables follow, of other parts of an appliance's configuration.
  const [, table = ''] = site.split(/\n\n(?=\|)/)
  const told = [...(table.split('\n\n')[0] ?? '').matchAll(/^\| `([a-z_]+)`/gm)].map((row) => row[1])
  expect(told).toEqual(Object.keys(powerConfig.unwrap().shape))
})

it('has the defaults that docs/options.md tells', () => {
  expect(policyOf(powerConfig.parse({}))).toEqual({
    idle: 120_000,
    busy: 5000,
    misses: 3,
    silence: 300_000,
    broken: 300_000,
  })
  expect(powerConfig.parse(undefined)).toEqual(powerConfig.parse({}))
})

it.each([
  [{ sync_power_state_interval: 0 }, 'sync_power_state_interval'],
  [{ sync_power_intervall: 60 }, 'sync_power_intervall'],
  [{ stagger: { most: 4 } }, 'seconds'],
])('refuses %j by name', (wrong, said) => {
  expect(powerConfig.safeParse(wrong).error?.message).toContain(said)
})
