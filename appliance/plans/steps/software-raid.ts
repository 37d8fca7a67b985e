import { z } from 'zod'
import { jsonObject } from '../../../contract/resources.ts'
import type { LogicalDisk } from '../../../contract/raid.ts'
import type { StepContext } from '../step.ts'

/** Arrays that the machine's kernel keeps: the agent makes them. An unmodified ironic-python-agent has the same steps. */

const percent = (own: number): number => own
const result = z.looseObject({ clean_result: jsonObject.nullish(), deploy_result: jsonObject.nullish() })

/** Deleting beforehand and making is one command of the agent, a deploy step; making what the node says is a clean step. */
export async function createSoftwareRaid(on: StepContext, disks: LogicalDisk[], deletes: boolean): Promise<void> {
  const config = { logical_disks: disks }
  const given = deletes
    ? await on.agents.runStep(on, 'deploy', {
        step: { interface: 'raid', step: 'apply_configuration' },
        args: { raid_config: config, delete_existing: true },
        busy: 'making software RAID anew',
        percent,
      })
    : await on.agents.runStep(on, 'clean', {
        step: { interface: 'raid', step: 'create_configuration' },
        args: {},
        node: { target_raid_config: config },
        busy: 'making software RAID',
        percent,
      })
  const { clean_result, deploy_result } = result.parse(given)
  tell(on, clean_result ?? deploy_result ?? config)
}

export async function deleteSoftwareRaid(on: StepContext): Promise<void> {
  await on.agents.runStep(on, 'clean', {
    step: { interface: 'raid', step: 'delete_configuration' },
    args: {},
    busy: 'deleting software RAID',
    percent,
  })
  tell(on, {})
}

function tell(on: StepContext, raid_config: Record<string, unknown>): void {
  on.read({ read_at: on.clock.now().toISOString(), raid_config })
}
