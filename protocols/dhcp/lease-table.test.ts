import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { LeaseTable } from './lease-table.ts'

const range = { first: 1_000, last: 1_019 }
const any = (): boolean => true

test('whatever is leased, released and removed, a free address is never one that somebody holds', () => {
  const step = fc.record({
    kind: fc.constantFrom('lease' as const, 'release' as const, 'remove' as const),
    address: fc.integer({ min: range.first, max: range.last }),
    seconds: fc.integer({ min: 1, max: 50 }),
  })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const table = new LeaseTable([range])
      let now = 0
      for (const { kind, address, seconds } of steps) {
        now += 1
        const held = table.byAddress(address)
        if (kind === 'remove') table.stage({ kind: 'remove', address })
        else if (kind === 'release' && held !== undefined)
          table.stage({ kind: 'put', lease: { ...held, expires: now } })
        else
          table.stage({ kind: 'put', lease: { address, mac: `m${seconds}`, state: 'bound', expires: now + seconds } })
        const free = table.free(range, now, any)
        const addresses = Array.from({ length: 20 }, (_, index) => range.first + index)
        const isFree = (candidate: number): boolean => (table.byAddress(candidate)?.expires ?? 0) <= now
        if (free === undefined) expect(addresses.some(isFree)).toBe(false)
        else expect(isFree(free)).toBe(true)
      }
    }),
  )
})

test('an address nobody may use does not hide those behind it', () => {
  const wide = { first: 1, last: 10_000 }
  const table = new LeaseTable([wide])
  const found = [1, 2, 3].map(() => {
    for (let asks = 1; ; asks += 1) {
      const address = table.free(wide, asks, (candidate) => candidate > 300)
      if (address !== undefined) return { address, asks }
    }
  })
  expect(found.every(({ address, asks }) => address > 300 && asks < 10)).toBe(true)
})

test('the cost of a free address does not grow with the leases', () => {
  // The quickest of many short stretches: whatever else the machine does, some are left alone.
  const measure = (leases: number): number => {
    const wide = { first: 0, last: leases * 2 }
    const table = new LeaseTable([wide])
    const fill = (from: number, to: number): number => {
      const start = performance.now()
      for (let count = from; count < to; count += 1) {
        const address = table.free(wide, 0, any) ?? -1
        table.stage({ kind: 'put', lease: { address, mac: `m${count}`, state: 'bound', expires: 1 } })
      }
      return performance.now() - start
    }
    fill(0, leases)
    return Math.min(...Array.from({ length: 40 }, (_, at) => fill(leases + at * 25, leases + (at + 1) * 25)))
  }
  measure(1_000)
  expect(measure(50_000)).toBeLessThan(10 * measure(1_000) + 0.1)
})
