import { describe, expect, it } from 'vitest'
import type { Appliance, Operation } from '../../contract/resources.ts'
import { newSealingKey, seal } from '../../contract/seal.ts'
import { chooseAppliance, keeperOf, planAppliance } from './choose.ts'
import { node } from './testing.ts'

const now = new Date('2026-11-23T10:00:00.000Z')
const ago = (seconds: number): string => new Date(now.getTime() - seconds * 1000).toISOString()
const appliance = (at: number, last_seen: string | null = ago(10)): Appliance => ({
  uuid: `00000000-0000-4000-8000-00000000000${at}`,
  name: `box-${at}`,
  site: 'berlin',
  sealing_key: newSealingKey().publicKey,
  certificate_sha256: 'c',
  software: null,
  created_at: now.toISOString(),
  last_seen,
  version: 1,
})
const nodes = Array.from({ length: 300 }, (_, at) => ({
  ...node,
  uuid: `00000000-0000-4000-8000-${String(at).padStart(12, '0')}`,
}))

describe('the appliance of a node', () => {
  const three = [1, 2, 3].map((at) => appliance(at))

  it('is the same in whatever order they are listed', () => {
    for (const each of nodes)
      expect(chooseAppliance(each, [...three].reverse(), now)).toEqual(chooseAppliance(each, three, now))
  })

  it('is any of them with about the same chance, and stays when another one goes', () => {
    const chosen = nodes.map((each) => chooseAppliance(each, three, now)?.name)
    for (const { name } of three) expect(chosen.filter((each) => each === name).length).toBeGreaterThan(60)
    const left = nodes.map((each) => chooseAppliance(each, three.slice(0, 2), now)?.name)
    for (const [at, name] of chosen.entries()) if (name !== 'box-3') expect(left[at]).toBe(name)
  })

  it('is one that is alive, while there is one', () => {
    const pool = [appliance(1, ago(91)), appliance(2, ago(90)), appliance(3, null)]
    for (const each of nodes) expect(chooseAppliance(each, pool, now)?.name).toBe('box-2')
    expect(chooseAppliance(node, [appliance(1, null)], now)?.name).toBe('box-1')
    expect(chooseAppliance(node, [], now)).toBeUndefined()
  })

  it('can open its secrets', () => {
    const [first] = three as [Appliance]
    const secret = seal('x', 'bind', [{ appliance: first.uuid, key: first.sealing_key }])
    for (const each of nodes)
      expect(chooseAppliance({ ...each, driver_info: { ipmi_password: secret } }, three, now)?.name).toBe('box-1')
  })
})

describe('a node that somebody looks after', () => {
  const [first, second] = [appliance(1), appliance(2)] as const
  const kept = nodes.slice(0, 20).map((each) => ({ ...each, keeper: first.uuid }))
  const running = (at: Appliance) => ({ operation: { appliance: at.uuid } as Operation })

  it('stays with its keeper between plans, though another would get the next plan, while the keeper is alive', () => {
    for (const each of kept) expect(keeperOf(each, [first, second], now)).toBe(first)
    const silent = appliance(1, ago(91))
    for (const each of kept) expect(keeperOf(each, [silent, second], now)).toBe(second)
    expect(kept.some((each) => planAppliance(each, [first, second], now) === second)).toBe(true)
  })

  it('is for nobody but who carries out its operation, who may be cut off', () => {
    const silent = appliance(2, ago(600))
    for (const each of kept) expect(keeperOf({ ...each, ...running(silent) }, [first, silent], now)).toBe(silent)
  })

  it('gets its next plan there too, so that no two are at one machine; but nobody waits for one that is away', () => {
    for (const each of kept) {
      expect(planAppliance({ ...each, ...running(second) }, [first, second], now)).toBe(second)
      const silent = appliance(2, ago(600))
      expect(planAppliance({ ...each, ...running(silent) }, [first, silent], now)).toBe(first)
    }
  })

  it('goes to one that can open its secrets', () => {
    const driver_info = { ipmi_password: seal('x', 'bind', [{ appliance: second.uuid, key: second.sealing_key }]) }
    for (const each of kept) expect(keeperOf({ ...each, driver_info }, [first, second], now)).toBe(second)
  })
})
