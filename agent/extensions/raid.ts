import { z } from 'zod'
import { CommandFailure } from '../failure.ts'
import type { Machine } from '../machine/machine.ts'
import type { Step } from './steps.ts'

const applied = z.looseObject({
  raid_config: z.record(z.string(), z.unknown()),
  delete_existing: z.boolean().nullish(),
})

/** Software RAID: as the node says it, or as the step does. */
export function raidSteps(machine: Machine): Record<string, Step> {
  return {
    create_configuration: (_args, node) => machine.createArrays(node['target_raid_config'], node),
    async delete_configuration(_args, node) {
      await machine.deleteArrays(node)
      return null
    },
    async apply_configuration(args, node) {
      const parsed = applied.safeParse(args)
      if (!parsed.success)
        throw new CommandFailure('InvalidCommandParamsError', `apply_configuration: ${z.prettifyError(parsed.error)}`, {
          code: 400,
        })
      const { raid_config: config, delete_existing: deletes } = parsed.data
      if (deletes ?? true) await machine.deleteArrays(node)
      return machine.createArrays(config, node)
    },
  }
}
