import { expect, test } from 'vitest'
import type { Decision, Facts } from './decision.ts'
import type { LeaseChange } from './lease.ts'
import { Probing } from './probing.ts'

const MAC = '52:54:00:00:00:01'
function offer(address: number, mac = MAC): Decision {
  return { facts: { request: 'discover', reply: 'offer', mac, because: 'test' }, probe: address, changes: [] }
}

function probing(hosts: Record<number, string>): { probing: Probing; staged: LeaseChange[]; told: Facts[] } {
  const staged: LeaseChange[] = []
  const told: Facts[] = []
  const parts = {
    hostAt: (address: number) => Promise.resolve(hosts[address]),
    now: () => 1_000,
    stage: (change: LeaseChange) => void staged.push(change),
    onDecision: (facts: Facts) => void told.push(facts),
  }
  return { probing: new Probing(parts), staged, told }
}

test('an address where nobody answers is offered', async () => {
  const { probing: probes, staged } = probing({})
  expect(await probes.settle(offer(7), () => undefined)).toEqual(offer(7))
  expect(staged).toEqual([])
})

test('an address where the client itself answers is offered', async () => {
  const { probing: probes } = probing({ 7: MAC })
  expect(await probes.settle(offer(7), () => undefined)).toEqual(offer(7))
})

test('an address where another host answers is put in quarantine, said why, and the next one offered', async () => {
  const { probing: probes, staged, told } = probing({ 7: '52:54:00:00:00:99' })
  expect(await probes.settle(offer(7), () => offer(8))).toEqual(offer(8))
  expect(staged).toEqual([{ kind: 'put', lease: { address: 7, mac: '', state: 'declined', expires: 601_000 } }])
  expect(told[0]).toMatchObject({ reply: 'none', mac: MAC })
  expect(told[0]?.because).toContain('52:54:00:00:00:99 answers at 0.0.0.7')
})

test('a network full of strangers ends in silence, not in an endless search', async () => {
  const { probing: probes, staged } = probing({ 7: 'a host' })
  expect(await probes.settle(offer(7), () => offer(7))).toBeUndefined()
  expect(staged).toHaveLength(4)
})

test('a client that asks again meanwhile, and a flood of clients, wait for no probe of their own', async () => {
  const { probing: probes } = probing({})
  const settled = probes.settle(offer(7), () => undefined)
  expect(probes.accepts(MAC)).toBe(false)
  const many = Array.from({ length: 63 }, (_, index) => probes.settle(offer(index, `m${index}`), () => undefined))
  expect(probes.accepts('m99')).toBe(false)
  await Promise.all([settled, ...many])
  expect(probes.accepts(MAC)).toBe(true)
})
