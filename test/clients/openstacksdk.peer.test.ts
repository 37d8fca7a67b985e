import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { python, type Teller } from './teller.ts'
import { openWayIn, strategies, type WayIn } from './way-in.ts'

/** OpenStack's Python library, unmodified; its stories are in openstacksdk.py. */

describe.each(strategies)('openstacksdk with %s', (strategy) => {
  let way: WayIn
  let client: Teller
  beforeAll(async () => {
    way = await openWayIn(strategy)
    client = python('openstacksdk.py', way.settings)
  })
  afterAll(async () => {
    client?.[Symbol.dispose]()
    await way?.stop()
  })

  it.each([
    'enrols validates and provides',
    'updates patches and finds nodes',
    'keeps ports port groups and chassis',
    'keeps volumes templates and traits',
    'allocates deploys and undeploys',
    'sees a failure as one',
    'switches power and boot device',
    'attaches vifs and calls vendor methods',
    'sees drivers and conductors',
    'deletes what it made',
    'leaves no function out',
  ])(
    '%s',
    async (story) => {
      expect(await client.ask(story)).toBeNull()
    },
    120_000,
  )
})
