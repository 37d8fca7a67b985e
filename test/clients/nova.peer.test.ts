import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { python, type Teller } from './teller.ts'
import { openWayIn, strategies, type WayIn } from './way-in.ts'

/** Nova's ironic driver, unmodified; its stories are in nova-compute.py. */

describe.each(strategies)('Nova with %s', (strategy) => {
  let way: WayIn
  let nova: Teller
  beforeAll(async () => {
    way = await openWayIn(strategy)
    nova = python('nova-compute.py', way.settings)
  })
  afterAll(async () => {
    nova?.[Symbol.dispose]()
    await way?.stop()
  })

  it.each([
    'sees what nodes there are and what they offer',
    'puts an instance on a node',
    'loses a race for a node at once',
    'switches power',
    'plugs and unplugs an interface',
    'rescues and unrescues',
    'rebuilds',
    'takes the instance off',
    'takes the instance off after a failed deploy',
    'cleans up after what does not validate',
    'attaches volumes and detaches them',
  ])(
    '%s',
    async (story) => {
      expect(await nova.ask(story)).toBeNull()
    },
    120_000,
  )
})
