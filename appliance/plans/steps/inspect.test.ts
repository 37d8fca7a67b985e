import { expect, it } from 'vitest'
import type { Posted } from '../../agents/posted.ts'
import { machine, plan } from '../../testing/plans.ts'
import type { StepContext } from '../step.ts'
import { inspectHardware } from './inspect.ts'

async function found(posted: Posted | undefined): Promise<unknown[]> {
  const told: unknown[] = []
  await inspectHardware({}, {
    plan: plan(machine(), 1, []),
    note: () => {},
    posted: () => posted,
    agents: { call: async () => ({ cpu: { count: 2 } }) },
    found: (...facts: unknown[]) => void told.push(...facts),
  } as unknown as StepContext)
  return told
}

it('tells what the ramdisk has posted by itself', async () => {
  const posted = { inventory: { cpu: { count: 4 } }, plugin_data: { root_disk: {} } }
  expect(await found(posted)).toEqual([posted.inventory, posted.plugin_data])
})

it('asks a ramdisk that has posted nothing', async () => {
  expect(await found(undefined)).toEqual([{ cpu: { count: 2 } }])
})
