import { afterAll, beforeAll, expect, test } from 'vitest'
import { startSweep, type Sweep } from '../bench/bmc-sweep/sweep.ts'
import { temperOf } from '../bench/bmc-sweep/temper.ts'

/** The benchmark `bmc sweep` in small: what is told, not how soon. */
const COUNT = 200
const ask = { sync_power_state_interval: 5, sync_power_state_busy_interval: 1, power_state_sync_silence: 5 }
const all = Array.from({ length: COUNT }, (_, index) => index)
const well = all.filter((index) => temperOf(index) === 'well')
const patient = { timeout: 120_000, interval: 50 }

let sweep: Sweep
beforeAll(async () => {
  sweep = await startSweep(COUNT, ask)
})
afterAll(() => sweep?.stop())

const powerTold = () =>
  sweep.reports().flatMap((report) => (report.kind === 'power' ? [sweep.nodes.indexOf(report.node)] : []))

test('dead, slow and lying BMCs, IPMI and Redfish, keep nobody from being heard, and nothing is told where nothing changed', async () => {
  await expect.poll(() => well.filter((index) => sweep.answered[index]! < 2), patient).toEqual([])
  const slow = all.filter((index) => temperOf(index) === 'slow')
  await expect.poll(() => slow.filter((index) => sweep.answered[index]! < 1), patient).toEqual([])
  const liars = all.filter((index) => temperOf(index) === 'contradicting')
  expect(powerTold().filter((index) => !liars.includes(index))).toEqual([])
})

test('what changed is told, each once, in fewer messages than changes', async () => {
  const before = sweep.messages()
  const flipped = well.filter((index) => index % 3 === 0)
  await sweep.flip(flipped)
  const told = (): number[] => powerTold().filter((index) => temperOf(index) === 'well')
  await expect.poll(() => told().toSorted((a, b) => a - b), patient).toEqual(flipped)
  expect(sweep.messages() - before).toBeLessThan(flipped.length)
})
