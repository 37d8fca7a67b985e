import fc from 'fast-check'
import { expect, it } from 'vitest'
import type { ProvisionState } from '../../../contract/provision.ts'
import type { Node } from '../../../contract/resources.ts'
import type { Write } from '../../../lambdas/platform.ts'
import { broken } from './invariants.ts'
import { MemoryTable } from './memory-table.ts'
import { Play } from './play.ts'
import { story, type Story } from './story.ts'

/** So many in `npm test`; INTERLEAVINGS=5000 for a long look, SEED=… for one again. */
const RUNS = Number(process.env['INTERLEAVINGS'] ?? 120)
const SEED = process.env['SEED']

const reached = new Set<ProvisionState>()

/** What is wrong with the world in the end. `scheduler` decides, at each use of the table, who comes first. */
async function told(scheduler: fc.Scheduler, of: Story, table?: MemoryTable): Promise<string[]> {
  const play = new Play(table)
  await play.open(of)
  play.world.pause = (label) => scheduler.schedule(Promise.resolve(), label)
  for (const atOnce of of.events) await scheduler.waitFor(Promise.all(atOnce.map((each) => play.happen(each))))
  await play.end(of.siteLives)
  for (const { key, after } of play.world.table.feed)
    if (key.sk === 'node' && after) reached.add((after.value as Node).provision_state)
  return broken(play)
}

it(
  'whatever happens at once, late, twice or not at all: no arrow is invented, no write lost, no node given twice, every wait ends',
  async () => {
    const property = fc.asyncProperty(fc.scheduler(), story, async (scheduler, of) => {
      expect(await told(scheduler, of)).toEqual([])
    })
    await fc.assert(property, { numRuns: RUNS, ...(SEED === undefined ? {} : { seed: Number(SEED) }) })
    const everyday = 'available cleaning deploying active deleting verifying inspecting'.split(' ')
    expect([...reached]).toEqual(expect.arrayContaining(everyday))
  },
  60_000 + RUNS * 1000,
)

/** It writes nodes whether or not somebody else wrote them meanwhile. */
class ForgetfulTable extends MemoryTable {
  override write(writes: Write[]): Promise<void> {
    return super.write(writes.map((write) => ('put' in write && write.put.sk === 'node' ? { put: write.put } : write)))
  }
}

it('a table that forgets its conditions is found out', async () => {
  const property = fc.asyncProperty(fc.scheduler(), story, async (scheduler, of) => {
    expect(await told(scheduler, of, new ForgetfulTable())).toEqual([])
  })
  const { failed, counterexample } = await fc.check(property, { numRuns: 60, endOnFailure: true })
  expect(failed).toBe(true)
  expect(counterexample).not.toBeNull()
}, 120_000)
