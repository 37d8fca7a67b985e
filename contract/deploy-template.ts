import { z } from 'zod'
import { templateSteps } from './steps-of-people.ts'
import { stored, traitName } from './stored.ts'

/** Steps that a deploy gets beyond its own where the instance asks for the trait that the template is named after. */
export const deployTemplate = z.object({
  ...stored,
  name: traitName,
  description: z.string().max(255).nullable(),
  steps: templateSteps,
})
export type DeployTemplate = z.infer<typeof deployTemplate>
