import { describe, expect, it } from 'vitest'
import { actionOps, conditionOps, type InspectionRule } from '../../contract/inspection-rule.ts'
import { actions } from './actions.ts'
import { conditions } from './conditions.ts'
import { applyRules, type Found, ramdiskError } from './rules.ts'

type Condition = Partial<InspectionRule['conditions'][number]>
type Action = Partial<InspectionRule['actions'][number]>
let made = 0
function rule(when: Condition[], then: Action[], more: Partial<InspectionRule> = {}): InspectionRule {
  made += 1
  return {
    uuid: `00000000-0000-4000-8000-${String(made).padStart(12, '0')}`,
    description: null,
    phase: 'main',
    priority: 0,
    sensitive: false,
    conditions: when as InspectionRule['conditions'],
    actions: then as InspectionRule['actions'],
    created_at: '2026-11-23T10:00:00.000Z',
    updated_at: null,
    version: 1,
    ...more,
  }
}

const found: Found = {
  node: {
    uuid: 'n1',
    name: 'n1',
    traits: ['CUSTOM_OLD'],
    properties: { capabilities: 'boot_mode:uefi,gpu:no', cpus: 8 },
    extra: { list: ['a'], deep: { er: 1 } },
    driver_info: {},
    resource_class: null,
  },
  ports: [{ uuid: 'p1', address: '52:54:00:aa:00:01', extra: {}, pxe_enabled: true }],
  inventory: {
    cpu: { count: 8, architecture: 'x86_64' },
    memory: { physical_mb: 16_384 },
    system_vendor: { manufacturer: 'Dell Inc.', product_name: null },
    bmc_address: '10.30.0.5',
    interfaces: [{ mac_address: '52:54:00:aa:00:01', has_carrier: true, password: 'hush' }],
    disks: [],
  },
  plugin_data: { dmi: { bios: '1.2' } },
}

const isTrue = (condition: Condition): boolean =>
  applyRules([rule([condition], [{ op: 'add-trait', args: { name: 'CUSTOM_YES' } }])], found).node.traits.includes(
    'CUSTOM_YES',
  )

describe('a condition', () => {
  const count = '{inventory[cpu][count]}'
  const rows: Array<[string, Record<string, unknown> | unknown[], boolean]> = [
    ['eq', { values: [count, 8] }, true],
    ['eq', { values: [count, '8'] }, true],
    ['eq', { values: ['{inventory[cpu][architecture]}', 'x86_64', 'x86_64'] }, true],
    ['eq', { values: ['{inventory[cpu][architecture]}', 'aarch64'] }, false],
    ['eq', { values: ['{inventory[interfaces][0][has_carrier]}', true] }, true],
    ['eq', { values: ['one'] }, true],
    ['eq', [['1', 1]], true],
    ['!eq', { values: [count, 9] }, true],
    ['! eq', { values: [count, 8] }, false],
    ['not eq', { values: [count, 9] }, true],
    ['lt', { values: [4, count, 16] }, true],
    ['lt', { values: [count, 4] }, false],
    ['lt', { values: ['10', '9'] }, true],
    ['lt', { values: [10, 9] }, false],
    ['lt', { values: [9, 10], force_strings: true }, false],
    ['gt', { values: ['{inventory[memory][physical_mb]}', 8192] }, true],
    ['gt', { values: ['b', 'a'] }, true],
    ['gt', { values: [[], 3] }, false],
    ['is-empty', { value: '{inventory[disks]}' }, true],
    ['is-empty', { value: '' }, true],
    ['is-empty', { value: {} }, true],
    ['is-empty', { value: '{inventory[cpu]}' }, false],
    ['is-none', { value: '{inventory[system_vendor][product_name]}' }, true],
    ['is-none', { value: '{node.resource_class}' }, true],
    ['is-none', { value: '{node.name}' }, false],
    ['is-true', { value: '{inventory[interfaces][0][has_carrier]}' }, true],
    ['is-true', { value: 'Yes' }, true],
    ['is-true', { value: 0 }, false],
    ['is-true', { value: 'maybe' }, false],
    ['is-false', { value: 'no' }, true],
    ['is-false', { value: null }, true],
    ['is-false', { value: 1 }, false],
    ['in-net', { address: '{inventory[bmc_address]}', subnet: '10.30.0.0/16' }, true],
    ['in-net', { address: '{inventory[bmc_address]}', subnet: '10.31.0.0/16' }, false],
    ['in-net', { address: '2001:db8::5', subnet: '2001:db8::/32' }, true],
    ['in-net', { address: '10.0.0.1', subnet: '2001:db8::/32' }, false],
    ['matches', { value: '{inventory[system_vendor][manufacturer]}', regex: 'Dell.*' }, true],
    ['matches', { value: '{inventory[system_vendor][manufacturer]}', regex: 'Dell' }, false],
    ['matches', { value: '52:54:00', regex: '[0-9:]{8}' }, true],
    ['contains', { value: '{inventory[system_vendor][manufacturer]}', regex: 'ell' }, true],
    ['contains', { value: 'abc', regex: '(?P<x>b)' }, true],
    ['contains', { value: 'abc', regex: '^b' }, false],
    ['one-of', { value: '{inventory[cpu][architecture]}', values: ['aarch64', 'x86_64'] }, true],
    ['one-of', { value: count, values: [4, 8] }, true],
    ['one-of', { value: count, values: [] }, false],
    ['eq', { values: ['{inventory[nothing]}', '{inventory[nothing]}'] }, true],
    ['eq', { values: ['{node.constructor.name}', 'Object'] }, false],
    ['eq', { values: ['{{x}}', '{x}'] }, true],
  ]
  it.each(rows)('%s %j is %s', (op, args, is) => {
    expect(isTrue({ op, args })).toBe(is)
  })

  const items: Array<[NonNullable<Condition['multiple']> | undefined, unknown[], boolean]> = [
    [undefined, [4, 8], true],
    ['any', [4, 5], false],
    ['all', [8, 8], true],
    ['all', [8, 4], false],
    ['first', [4, 8], true],
    ['last', [8, 4], false],
    ['last', [4, 8], true],
  ]
  it.each(items)('over the items of a loop, %s of %j: %s', (multiple, loop, is) => {
    expect(isTrue({ op: 'eq', args: { values: [count, '{item}'] }, loop, multiple })).toBe(is)
  })

  it.each([
    ['in-net', { address: 'nowhere', subnet: '10.0.0.0/8' }, /not an IP address/],
    ['in-net', { address: '10.0.0.1', subnet: '10.0.0.0/64' }, /not a network/],
    ['matches', { value: 'x', regex: '(' }, /regular expression/],
    ['eq', { values: 'x' }, /list/],
    ['contains', { value: `${'a'.repeat(40)}!`, regex: '^(a+)+$' }, /timed out/],
  ])('%s %j can’t be judged, which fails the inspection', (op, args, why) => {
    const { failure } = applyRules([rule([{ op, args }], [{ op: 'fail', args: { msg: 'no' } }])], found)
    expect(failure).toMatch(why)
  })
})

const done = (op: string, args: Action['args'], more: Action = {}) =>
  applyRules([rule([], [{ op, args, ...more }])], found)

describe('an action', () => {
  it.each([
    ['set-attribute', { path: 'extra/rack', value: '{inventory[bmc_address]}' }, { extra: { rack: '10.30.0.5' } }],
    ['set-attribute', { path: '/extra/new/deep', value: [1] }, { extra: { new: { deep: [1] } } }],
    ['set-attribute', { path: 'resource_class', value: 'big-{inventory[cpu][count]}' }, { resource_class: 'big-8' }],
    ['set-attribute', { path: 'properties.cpus', value: 4 }, { properties: { cpus: 4 } }],
    ['extend-attribute', { path: 'extra/list', value: 'a' }, { extra: { list: ['a', 'a'] } }],
    ['extend-attribute', { path: 'extra/list', value: 'a', unique: true }, { extra: { list: ['a'] } }],
    ['extend-attribute', { path: 'extra/fresh', value: 1 }, { extra: { fresh: [1] } }],
    ['set-capability', { name: 'gpu', value: 'yes' }, { properties: { capabilities: 'boot_mode:uefi,gpu:yes' } }],
    ['unset-capability', { name: 'gpu' }, { properties: { capabilities: 'boot_mode:uefi' } }],
    ['add-trait', { name: 'CUSTOM_NEW' }, { traits: ['CUSTOM_OLD', 'CUSTOM_NEW'] }],
    ['add-trait', { name: 'CUSTOM_OLD' }, { traits: ['CUSTOM_OLD'] }],
    ['remove-trait', { name: 'CUSTOM_OLD' }, { traits: [] }],
    ['remove-trait', { name: 'CUSTOM_NONE' }, { traits: ['CUSTOM_OLD'] }],
  ])('%s %j', (op, args, node) => {
    expect(done(op, args)).toMatchObject({ node, failure: undefined })
  })

  it('deletes what is there', () => {
    expect(done('del-attribute', { path: 'extra/deep/er' }).node['extra']).toEqual({ list: ['a'], deep: {} })
  })

  it('changes ports and what plugins found', () => {
    const set = { port_id: 'p1', path: 'physical_network', value: 'rack-{inventory[cpu][count]}' }
    expect(done('set-port-attribute', set).ports).toMatchObject([{ physical_network: 'rack-8' }])
    const more = { port_id: '52:54:00:aa:00:01', path: 'extra/tags', value: 'x' }
    expect(done('extend-port-attribute', more).ports).toMatchObject([{ extra: { tags: ['x'] } }])
    expect(done('del-port-attribute', { port_id: 'p1', path: 'pxe_enabled' }).ports[0]).not.toHaveProperty(
      'pxe_enabled',
    )
    expect(done('set-plugin-data', { path: 'a.b', value: 1 }).plugin_data).toMatchObject({ a: { b: 1 } })
    expect(done('extend-plugin-data', ['seen', 'x', true]).plugin_data).toMatchObject({ seen: ['x'] })
    expect(done('unset-plugin-data', { path: 'dmi.bios' }).plugin_data).toEqual({ dmi: {} })
  })

  it('logs, and asks for calls', () => {
    expect(done('log', { msg: '{node.uuid} has {inventory[cpu]}', level: 'WARNING' }).logged).toEqual([
      { level: 'warn', msg: "n1 has {'count': 8, 'architecture': 'x86_64'}" },
    ])
    expect(done('api-call', { url: 'https://cmdb.test/{node.uuid}', timeout: 60, retries: 99 }).calls).toEqual([
      { url: 'https://cmdb.test/n1', headers: {}, timeout: 10, retries: 3 },
    ])
  })

  it('is done for each item of a loop, whose own fields are filled in too', () => {
    const loop = [
      { path: 'extra/a', value: '{inventory[cpu][count]}' },
      { path: 'extra/b', value: 'two' },
    ]
    const { node } = done('set-attribute', { path: '{item[path]}', value: '{item[value]}' }, { loop })
    expect(node['extra']).toMatchObject({ a: '8', b: 'two' })
  })

  it.each([
    ['fail', { msg: 'too old: {plugin_data[dmi][bios]}' }, /too old: 1.2/],
    ['set-attribute', { path: 'provision_state', value: 'active' }, /can't change provision_state/],
    ['set-attribute', { path: 'uuid', value: 'x' }, /can't change uuid/],
    ['set-attribute', { path: 'extra/__proto__/x', value: 1 }, /not a path/],
    ['set-attribute', { path: 'resource_class/x/y', value: 1 }, undefined],
    ['set-attribute', { path: 'name/x', value: 1 }, /no object/],
    ['extend-attribute', { path: 'properties/cpus', value: 1 }, /no list/],
    ['del-attribute', { path: 'extra/none' }, /nothing at/],
    ['add-trait', { name: 'not a trait' }, /not a trait/],
    ['set-port-attribute', { port_id: 'p9', path: 'extra/x', value: 1 }, /port p9/],
    ['set-port-attribute', { port_id: 'p1', path: 'address', value: 'x' }, /can't change address/],
    ['log', { msg: 'x', level: 'loud' }, /level/],
    ['api-call', { url: 'file:///etc/passwd' }, /not an http URL/],
  ])('%s %j fails the inspection with what to look at', (op, args, why) => {
    const { failure } = done(op, args)
    if (why) expect(failure).toMatch(why)
    else expect(failure).toBeUndefined()
  })
})

describe('rules', () => {
  const set = (value: unknown, priority: number, when: Condition[] = []) =>
    rule(when, [{ op: 'set-attribute', args: { path: 'extra/by', value } }], { priority })

  it('of higher priority come first, and later ones see what they did', () => {
    const sees = set('{node.extra[by]} then low', 1, [{ op: 'eq', args: { values: ['{node.extra[by]}', 'high'] } }])
    const { node, applied } = applyRules([sees, set('high', 5)], found)
    expect(node['extra']).toMatchObject({ by: 'high then low' })
    expect(applied).toHaveLength(2)
  })

  it('are left alone where any of their conditions does not hold', () => {
    const none = [
      { op: 'eq', args: { values: [1, 1] } },
      { op: 'eq', args: { values: [1, 2] } },
    ]
    expect(applyRules([set('x', 0, none)], found)).toMatchObject({ applied: [], node: found.node })
  })

  it('one that fails ends the inspection; what was done before stays done', () => {
    const fails = rule([], [{ op: 'fail', args: { msg: 'broken' } }], { priority: 3, description: 'no old machines' })
    const { node, failure } = applyRules([set('before', 5), fails, set('after', 1)], found)
    expect(node['extra']).toMatchObject({ by: 'before' })
    expect(failure).toMatch(/^Failed to inspect hardware. Reason: broken \(rule .*, no old machines\)$/)
  })

  it('never see a secret, and never change what they were given', () => {
    const before = structuredClone(found)
    const { node } = applyRules([set('{inventory[interfaces][0]}', 0)], found)
    expect(JSON.stringify(node)).not.toContain('hush')
    expect(found).toEqual(before)
  })

  it('have an implementation of every operation that the API accepts', () => {
    expect(Object.keys(conditions).sort()).toEqual(Object.keys(conditionOps).sort())
    expect(Object.keys(actions).sort()).toEqual(Object.keys(actionOps).sort())
  })
})

it('an error that the ramdisk reports is told, and no other', () => {
  expect(ramdiskError({ error: 'lshw broke' })).toContain('lshw broke')
  expect(ramdiskError({ error: null })).toBeUndefined()
})
