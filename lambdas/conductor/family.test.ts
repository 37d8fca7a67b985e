import { describe, expect, it } from 'vitest'
import type { Step } from '../../contract/plan.ts'
import type { Node } from '../../contract/resources.ts'
import { coupled, relativesIn } from './family.ts'
import type { Platform } from '../platform.ts'
import { type Ground, step } from './ramdisk.ts'
import { node } from './testing.ts'

const ground: Ground = { interfaces: {}, disable_power_off: false }
const parent: Node = { ...node, uuid: '11111111-0000-4000-8000-000000000000' }
const fed: Node = { ...node, uuid: '22222222-0000-4000-8000-000000000000', parent_node: parent.uuid }
const own: Node = {
  ...fed,
  uuid: '33333333-0000-4000-8000-000000000000',
  driver_info: { has_dedicated_power_supply: true },
}

const told = (steps: Step[]): string[] =>
  steps.map(({ interface: kind, step: name, args }) =>
    name === 'on_node' ? `${String(args['node']).slice(0, 1)}:${String(args['step'])}` : `${kind}.${name}`,
  )
const off = step('power.power_off', ground)
const on = step('power.power_on', ground)
const to = (target: string): Step => step('power.set_power_state', ground, { target, timeout: null })

describe('power of parents and children', () => {
  const family = { parent: undefined, children: [fed, own] }
  it('a parent is switched off after the children that it feeds, and only those', () => {
    expect(told(coupled([off], parent, family))).toEqual(['2:power_off', 'power.power_off'])
  })

  it('a soft power off of a parent is one of its children, with as much time', () => {
    const soft = { ...to('soft power off'), deadline_seconds: 777 }
    const [first] = coupled([soft], parent, family)
    expect(first).toMatchObject({
      deadline_seconds: 777,
      args: { step: 'set_power_state', args: { target: 'soft power off' } },
    })
  })

  it.each([
    ['switched on', on],
    ['rebooted', to('rebooting')],
    ['booted from its disk', step('deploy.boot_instance', ground)],
  ])('before a child is %s, its parent is switched on', (_, change) => {
    expect(told(coupled([change], fed, { parent, children: [] }))[0]).toBe('1:power_on')
  })

  it.each([
    ['a child with a power supply of its own leaves its parent alone', on, own, { parent, children: [] }],
    ['a child that goes off leaves its parent alone', off, fed, { parent, children: [] }],
    ['a parent that goes on leaves its children alone', on, parent, family],
    ['other steps touch nobody else', step('power.validate', ground), parent, family],
  ])('%s', (_, change, of, relatives) => {
    expect(coupled([change], of, relatives)).toEqual([change])
  })

  it('a child that must not be off keeps its parent on', () => {
    const stubborn = { ...fed, disable_power_off: true }
    expect(() => coupled([off], parent, { parent: undefined, children: [stubborn] })).toThrow(/disable_power_off/)
  })
})

describe('what a site is told of other nodes', () => {
  const table = { query: async () => ({ items: [], next: undefined }) } as unknown as Platform['table']
  const onChild = step('plan.on_node', ground, { node: fed.uuid, interface: 'power', step: 'power_off', args: {} })

  it('is nothing where no step is about them', async () => {
    expect(await relativesIn({ table }, [off], { parent, children: [fed] })).toBeUndefined()
  })

  it('is each that a step is about, once', async () => {
    const machines = await relativesIn({ table }, [onChild, off, onChild], { parent, children: [own, fed] })
    expect(machines?.map((each) => each.node)).toEqual([fed.uuid])
  })

  it('a child that is gone when its step is planned fails the operation', async () => {
    await expect(relativesIn({ table }, [onChild], { parent: undefined, children: [] })).rejects.toThrow(
      /no longer a child/,
    )
  })
})
