import { expect, it } from 'vitest'
import { machine, plan } from '../../testing/plans.ts'
import type { StepContext } from '../step.ts'
import { applyRaid, createRaid, deleteRaid } from './raid.ts'

const root = { size_gb: 'MAX' as const, raid_level: '1' as const, controller: 'software', is_root_volume: true }
const data = { ...root, volume_name: 'data', is_root_volume: false }
const made = { logical_disks: [{ volume_name: 'made' }] }

/** What the agent was told, and what the cloud was. */
async function on(run: (context: StepContext) => Promise<void>, result: object = {}) {
  const asked: unknown[] = []
  const told: unknown[] = []
  const plain = machine()
  await run({
    plan: plan(
      {
        ...plain,
        interfaces: { ...plain.interfaces, raid: 'agent' },
        target_raid_config: { logical_disks: [root, data] },
      },
      1,
      [],
    ),
    clock: { now: () => new Date(0) },
    note: () => {},
    agents: {
      runStep: async (_on: unknown, kind: string, { step, args, node }: Record<string, unknown>) => {
        asked.push([kind, step, args, node])
        return result
      },
    },
    read: ({ raid_config }: { raid_config: unknown }) => void told.push(raid_config),
  } as unknown as StepContext)
  return { asked, told }
}
const step = (name: string) => ({ interface: 'raid', step: name })

it("has the agent make the node's volumes, and tells what was made", async () => {
  const { asked, told } = await on((context) => createRaid({}, context), { clean_result: made })
  const config = { target_raid_config: { logical_disks: [root, data] } }
  expect(asked).toEqual([['clean', step('create_configuration'), {}, config]])
  expect(told).toEqual([made])
})

it('leaves out what is not asked for, and deletes before where that is', async () => {
  const { asked, told } = await on((context) =>
    createRaid({ create_root_volume: false, delete_existing: true }, context),
  )
  const raid_config = { logical_disks: [data] }
  expect(asked).toEqual([['deploy', step('apply_configuration'), { raid_config, delete_existing: true }, undefined]])
  // An agent that doesn't say what it made has made what it was told.
  expect(told).toEqual([raid_config])
})

it('makes the volumes of the step, and deletes them all', async () => {
  const raid_config = { logical_disks: [data] }
  const applied = await on((context) => applyRaid({ raid_config, delete_existing: true }, context), {
    deploy_result: made,
  })
  expect([applied.asked[0], applied.told]).toEqual([
    ['deploy', step('apply_configuration'), { raid_config, delete_existing: true }, undefined],
    [made],
  ])
  const { asked, told } = await on((context) => deleteRaid({}, context))
  expect(asked).toEqual([['clean', step('delete_configuration'), {}, undefined]])
  expect(told).toEqual([{}])
})
