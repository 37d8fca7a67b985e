import { z } from 'zod'
import { MOST_RELATIVES } from './plan.ts'
import { jsonObject, uuid } from './resources.ts'
import { boolean } from './stored.ts'

/** Steps as people write them in deploy templates and runbooks. */

const common = { interface: z.string(), step: z.string().min(1).max(255), args: jsonObject.default({}) }
const interfaces = ['bios', 'deploy', 'firmware', 'management', 'power', 'raid', 'vendor'] as const
const ofInterface = z.enum(interfaces)
const once = (steps: ReadonlyArray<{ interface: string; step: string }>): boolean =>
  new Set(steps.map((each) => `${each.interface}.${each.step}`)).size === steps.length
const twice = 'a step (interface and step) may be named only once'

/** Priority 0 switches a step off. */
const order = z.union([
  z.int().nonnegative(),
  z
    .string()
    .regex(/^\d{1,9}$/)
    .transform(Number),
])
/** Of steps of cleaning and service. */
export const stepOptions = {
  order: order.optional(),
  execute_on_child_nodes: boolean.optional(),
  limit_child_node_execution: z.array(uuid).max(MOST_RELATIVES).optional(),
}
export const templateSteps = z
  .array(z.strictObject({ ...common, interface: ofInterface, args: jsonObject, priority: order }))
  .min(1)
  .max(256)
  .refine(once, twice)
export const runbookSteps = z
  .array(z.strictObject({ ...common, ...stepOptions, interface: ofInterface, order }))
  .min(1)
  .max(256)
  .refine(once, twice)
