import { z } from 'zod'
import { jsonObject } from './resources.ts'

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
export const templateSteps = z
  .array(z.strictObject({ ...common, interface: ofInterface, args: jsonObject, priority: order }))
  .min(1)
  .max(256)
  .refine(once, twice)
export const runbookSteps = z
  .array(z.strictObject({ ...common, interface: ofInterface, order }))
  .min(1)
  .max(256)
  .refine(once, twice)
