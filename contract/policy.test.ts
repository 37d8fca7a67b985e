import { readFileSync } from 'node:fs'
import { describe, expect, it, test } from 'vitest'
import { type Caller, nobody, operator, standardRoles, withImplied } from './identity.ts'
import { allowed, type Belonging, patchRules, policy, type Rule } from './policy.ts'

/** Computed from the rules of Ironic itself (21.4, and those that came since), by evaluating its check strings for each role in each
 * place: on the system, in the node's owner, in its lessee, in a project without part in it, in the project of services. */
const golden = JSON.parse(readFileSync(new URL('./policy.golden.json', import.meta.url), 'utf8')) as Record<
  string,
  Partial<Record<Place, string>>
>
type Place = 'system' | 'owner' | 'lessee' | 'stranger' | 'services'

const node: Belonging = { owner: 'a', lessee: 'b' }
const projects = { owner: 'a', lessee: 'b', stranger: 'c', services: 'd' } as const

function callerIn(place: Place, role: string): Caller {
  const user = { id: 'u', name: 'u' }
  const roles = withImplied([role])
  if (place === 'system') return { user, project: null, system: true, roles }
  const name = place === 'services' ? 'service' : place
  return { user, project: { id: projects[place], name }, system: false, roles }
}

const rules = Object.keys(policy) as Rule[]
/** Of resources that are younger than the Ironic whose rules were computed. */
const younger = /^baremetal:(runbook|inspection_rule):/
const known = rules.filter((rule) => !rule.startsWith('bloomery:') && !younger.test(rule))
const places = ['system', 'owner', 'lessee', 'stranger', 'services'] as const

describe('a rule', () => {
  it('is one of Ironic, or of what only we have', () => {
    expect([...known].sort()).toEqual(Object.keys(golden).sort())
  })

  it.each(known)('%s lets pass whom Ironic lets', (rule) => {
    for (const place of places) {
      const who = standardRoles.filter((role) => allowed(rule, callerIn(place, role), node))
      expect(who.join(' '), place).toBe(golden[rule]?.[place] ?? '')
    }
  })

  it.each(rules)('%s lets nobody pass without a scope, nor strangers to it', (rule) => {
    expect(allowed(rule, nobody, node)).toBe(false)
    expect(allowed(rule, { ...callerIn('system', 'admin'), system: false }, node)).toBe(false)
    expect(allowed(rule, { ...callerIn('owner', 'admin'), roles: new Set(['other']) }, node)).toBe(false)
  })

  it.each(rules)('%s lets those pass who need not say who they are', (rule) => {
    // What is a project's own is covered for them by the rule without `self_owned_node`.
    expect(allowed(rule, operator(null))).toBe(rule !== 'baremetal:node:delete:self_owned_node')
  })

  it('is not met by a project that a node without owner has in common with one without lessee', () => {
    expect(allowed('baremetal:node:get', callerIn('stranger', 'admin'), { owner: null, lessee: null })).toBe(false)
  })
})

describe('a patch', () => {
  it.each([
    [['extra'], ['baremetal:node:update_extra']],
    [
      ['instance_info', 'extra'],
      ['baremetal:node:update_instance_info', 'baremetal:node:update_extra'],
    ],
    [['boot_interface', 'driver'], ['baremetal:node:update:driver_interfaces']],
    [
      ['description', 'name'],
      ['baremetal:node:update', 'baremetal:node:update:name'],
    ],
    [['owner'], ['baremetal:node:update:owner']],
    [[], ['baremetal:node:update']],
  ])('of %j needs %j', (touched, needed) => {
    expect([...patchRules(touched)]).toEqual(needed)
  })
})

test('roles imply those below them, whatever else there is', () => {
  expect([...withImplied(['manager', 'x'])]).toEqual(['manager', 'x', 'member', 'reader'])
  expect([...withImplied(['service'])]).toEqual(['service'])
})
