import { z } from 'zod'
import { jsonObject } from './resources.ts'
import { stored } from './stored.ts'

/** Rules that are applied to what an inspection finds (reference §1.15): if the conditions hold, the actions are done. */

interface Arguments {
  required: readonly string[]
  optional?: readonly string[]
}
const wants = (required: string, optional = ''): Arguments => ({
  required: required.split(' '),
  optional: optional === '' ? [] : optional.split(' '),
})

export const conditionOps: Readonly<Record<string, Arguments>> = {
  eq: wants('values', 'force_strings'),
  lt: wants('values', 'force_strings'),
  gt: wants('values', 'force_strings'),
  'is-empty': wants('value'),
  'in-net': wants('address subnet'),
  matches: wants('value regex'),
  contains: wants('value regex'),
  'one-of': wants('value values'),
  'is-none': wants('value'),
  'is-true': wants('value'),
  'is-false': wants('value'),
}

export const actionOps: Readonly<Record<string, Arguments>> = {
  fail: wants('msg'),
  log: wants('msg', 'level'),
  'set-attribute': wants('path value'),
  'extend-attribute': wants('path value', 'unique'),
  'del-attribute': wants('path'),
  'set-capability': wants('name value'),
  'unset-capability': wants('name'),
  'add-trait': wants('name'),
  'remove-trait': wants('name'),
  'set-plugin-data': wants('path value'),
  'extend-plugin-data': wants('path value', 'unique'),
  'unset-plugin-data': wants('path'),
  'set-port-attribute': wants('port_id path value'),
  'extend-port-attribute': wants('port_id path value', 'unique'),
  'del-port-attribute': wants('port_id path'),
  'api-call': wants('url', 'headers proxies timeout retries backoff_factor'),
}

const args = z.union([jsonObject, z.array(z.unknown()).max(64)])
const loop = z.union([z.array(z.unknown()).max(1000), jsonObject])

const action = z
  .strictObject({ op: z.string().max(255), args, loop: loop.optional() })
  .superRefine(({ op, args: given }, context) => complain(context, 'action', actionOps, op, given))

const condition = z
  .strictObject({
    op: z.string().max(255),
    args,
    loop: loop.optional(),
    multiple: z.enum(['any', 'all', 'first', 'last']).optional(),
  })
  .superRefine(({ op, args: given }, context) => complain(context, 'condition', conditionOps, plainOp(op), given))

/** Without what inverts it: `!eq` and `not eq`. */
export function plainOp(op: string): string {
  return op.replace(/^(!|not )\s*/, '')
}

function complain(
  context: z.RefinementCtx,
  what: string,
  ops: Readonly<Record<string, Arguments>>,
  op: string,
  given: z.infer<typeof args>,
): void {
  const wanted = Object.hasOwn(ops, op) ? ops[op] : undefined
  const issue = wanted
    ? wrongArguments(wanted, given)
    : `unsupported ${what} '${op}': there is ${Object.keys(ops).join(', ')}`
  if (issue !== undefined) context.addIssue({ code: 'custom', message: wanted ? `${what} ${op}: ${issue}` : issue })
}

/** As a list, arguments stand in the order of their names. */
function wrongArguments({ required, optional = [] }: Arguments, given: z.infer<typeof args>): string | undefined {
  const names = Array.isArray(given) ? [...required, ...optional].slice(0, given.length) : Object.keys(given)
  const missing = required.filter((name) => !names.includes(name))
  const unknown = names.filter((name) => !required.includes(name) && !optional.includes(name))
  if (missing.length > 0) return `missing argument ${missing.join(', ')}`
  if (unknown.length > 0) return `unknown argument ${unknown.join(', ')}`
  return Array.isArray(given) && given.length > names.length ? 'too many arguments' : undefined
}

export const inspectionRule = z.object({
  uuid: stored.uuid,
  description: z.string().max(255).nullable(),
  phase: z.literal('main'),
  priority: z.int().min(0).max(9999),
  sensitive: z.boolean(),
  actions: z.array(action).min(1).max(100),
  conditions: z.array(condition).max(100),
  created_at: stored.created_at,
  updated_at: stored.updated_at,
  version: stored.version,
})
export type InspectionRule = z.infer<typeof inspectionRule>
