import { z } from 'zod'
import { runbookSteps } from './steps-of-people.ts'
import { logicalName, stored, traitName } from './stored.ts'

/** Steps of cleaning or service under a name, for nodes that have one of its traits. */
export const runbook = z.object({
  ...stored,
  name: logicalName,
  description: z.string().max(255).nullable(),
  steps: runbookSteps,
  disable_ramdisk: z.boolean(),
  public: z.boolean(),
  owner: z.string().max(255).nullable(),
  traits: z.array(traitName).max(50),
})
export type Runbook = z.infer<typeof runbook>
