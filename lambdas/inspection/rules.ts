import { actionOps, conditionOps, type InspectionRule, plainOp } from '../../contract/inspection-rule.ts'
import { actions, type Work } from './actions.ts'
import { conditions } from './conditions.ts'
import { RuleError } from './rule-error.ts'
import { formatAll, pythonText, type Values } from './template.ts'

type Json = Record<string, unknown>

/** What an inspection found, and the node that it is about. */
export interface Found {
  node: Json & { traits: string[] }
  ports: Json[]
  inventory: Json
  plugin_data: Json
}

export interface Outcome extends Work {
  /** Why the inspection fails; what was done before stays done. */
  failure: string | undefined
  applied: string[]
}

/** Applies rules, those of higher priority first (reference §1.15): what one changed the next one sees. Pure, but for the time that it
 * takes. */
export function applyRules(rules: readonly InspectionRule[], found: Found): Outcome {
  const { inventory, ...copy } = structuredClone(found)
  const work: Outcome = { ...copy, logged: [], calls: [], failure: undefined, applied: [] }
  for (const rule of rules.toSorted((a, b) => b.priority - a.priority)) {
    try {
      const values = (): Values => ({
        node: work.node,
        inventory: masked(inventory),
        plugin_data: masked(work.plugin_data),
      })
      if (!rule.conditions.every((each) => holds(each, values()))) continue
      for (const each of rule.actions) act(each, work, values)
      work.applied.push(rule.uuid)
    } catch (error) {
      if (!(error instanceof RuleError)) throw error
      return { ...work, failure: `Failed to inspect hardware. Reason: ${error.message} (rule ${nameOf(rule)})` }
    }
  }
  return work
}

function nameOf({ description, uuid }: InspectionRule): string {
  return description ? `${uuid}, ${description}` : uuid
}

type Condition = InspectionRule['conditions'][number]
type Action = InspectionRule['actions'][number]

function holds(condition: Condition, values: Values): boolean {
  const { op, loop, multiple = 'any' } = condition
  const name = plainOp(op.trim())
  const check = (more: Values): boolean => {
    const args = argumentsOf(condition, conditionOps[name]!, { ...values, ...more }, loop !== undefined)
    const isLoop = Object.hasOwn(more, 'item') && 'values' in args
    return conditions[name]!(isLoop ? { ...args, force_strings: true } : args) !== (name !== op.trim())
  }
  if (!isLooped(loop)) return check({})
  if (!Array.isArray(loop)) return check({ item: loop })
  switch (multiple) {
    case 'any':
    case 'first':
      return loop.some((item) => check({ item }))
    case 'all':
      return loop.every((item) => check({ item }))
    case 'last':
      return check({ item: loop.at(-1) })
  }
}

function act(action: Action, work: Work, values: () => Values): void {
  const { op, loop } = action
  const items = !isLooped(loop) ? [{}] : Array.isArray(loop) ? loop.map((item) => ({ item })) : [{ item: loop }]
  for (const item of items)
    actions[op]!(argumentsOf(action, actionOps[op]!, { ...values(), ...item }, isLooped(loop)), work)
}

function isLooped(loop: Condition['loop']): loop is NonNullable<Condition['loop']> {
  return loop !== undefined && (Array.isArray(loop) ? loop.length > 0 : Object.keys(loop).length > 0)
}

/** By name, formatted. Braces in a regular expression count repetitions, but where there is an `{item}`. In a loop the item may bring
 * fields of its own. */
function argumentsOf(
  { args }: Condition | Action,
  { required, optional = [] }: (typeof actionOps)[string],
  values: Values,
  isLooping: boolean,
): Json {
  const named = Array.isArray(args)
    ? Object.fromEntries([...required, ...optional].flatMap((name, at) => (at < args.length ? [[name, args[at]]] : [])))
    : args
  return Object.fromEntries(
    Object.entries(named).map(([name, value]) => {
      if (name === 'regex' && !isLooping) return [name, value]
      const formatted = formatAll(value, values)
      return [name, isLooping ? formatAll(formatted, values) : formatted]
    }),
  )
}

const sensitive = new Set(['password', 'auth_token', 'bmc_password'])

/** What machines tell of secrets stays out of reach: a rule could write it anywhere. */
function masked(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(masked)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, each]) => [key, sensitive.has(key) ? '***' : masked(each)]),
  )
}

/** The words of the `error` that a ramdisk reports beside its inventory. */
export function ramdiskError(plugin_data: Json): string | undefined {
  const { error } = plugin_data
  if (error === undefined || error === null || error === '') return undefined
  return `Failed to inspect hardware. Reason: the ramdisk reported: ${pythonText(error).slice(0, 2000)}`
}
