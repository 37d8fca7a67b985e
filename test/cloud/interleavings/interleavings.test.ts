import fc from 'fast-check'
import { expect, it } from 'vitest'
import type { Node } from '../../../contract/resources.ts'
import type { ProvisionState } from '../../../contract/provision.ts'
import { broken } from './invariants.ts'
import { Play } from './play.ts'
import { story } from './story.ts'

/** So many in `npm test`; INTERLEAVINGS=5000 for a long look, SEED=… for one again. */
const RUNS = Number(process.env['INTERLEAVINGS'] ?? 150)
const SEED = process.env['SEED']

const reached = new Set<ProvisionState>()

it(
  'whatever happens at once, late, twice or not at all: no arrow is invented, no write lost, no node given twice, every wait ends',
  async () => {
    const property = fc.asyncProperty(fc.scheduler(), story, async (scheduler, told) => {
      const play = new Play()
      await play.open(told)
      play.world.pause = (label) => scheduler.schedule(Promise.resolve(), label)
      for (const atOnce of told.events) await scheduler.waitFor(Promise.all(atOnce.map((each) => play.happen(each))))
      await play.end(told.siteLives)
      for (const { key, after } of play.world.table.feed)
        if (key.sk === 'node' && after) reached.add((after.value as Node).provision_state)
      expect(broken(play)).toEqual([])
    })
    await fc.assert(property, { numRuns: RUNS, ...(SEED === undefined ? {} : { seed: Number(SEED) }) })
    const everyday: ProvisionState[] = [
      'available',
      'cleaning',
      'deploying',
      'wait call-back',
      'active',
      'deleting',
      'clean hold',
    ]
    expect([...reached]).toEqual(expect.arrayContaining(everyday))
  },
  60_000 + RUNS * 1000,
)
