import { RuleError } from './rule-error.ts'

/** Places in an object: `extra/rack/row`, or `extra.rack.row`. */

type Json = Record<string, unknown>
const MOST_STEPS = 32

export function stepsOf(path: string): [string, ...string[]] {
  const parts = path.includes('/') ? path.replace(/^\/+|\/+$/g, '').split('/') : path.split('.')
  const [first, ...rest] = parts
  if (!first || parts.length > MOST_STEPS || parts.some((each) => ['', '__proto__'].includes(each)))
    throw new RuleError(`'${path}' is not a path`)
  return [first, ...rest]
}

export function setAt(root: Json, path: string, value: unknown): void {
  const { holder, key } = holderOf(root, path)
  holder[key] = value
}

export function extendAt(root: Json, path: string, value: unknown, unique: boolean): void {
  const { holder, key } = holderOf(root, path)
  const list = (Object.hasOwn(holder, key) ? holder[key] : undefined) ?? []
  if (!Array.isArray(list)) throw new RuleError(`what stands at '${path}' is no list, and can't be extended`)
  const known = list.some((each) => JSON.stringify(each) === JSON.stringify(value))
  holder[key] = unique && known ? list : [...(list as unknown[]), value]
}

/** False: there is nothing there. */
export function deleteAt(root: Json, path: string): boolean {
  const steps = stepsOf(path)
  const key = steps.at(-1)!
  let holder: unknown = root
  for (const step of steps.slice(0, -1))
    holder = isObject(holder) && Object.hasOwn(holder, step) ? holder[step] : undefined
  if (!isObject(holder) || !Object.hasOwn(holder, key)) return false
  return delete holder[key]
}

function holderOf(root: Json, path: string): { holder: Json; key: string } {
  const steps = stepsOf(path)
  let holder = root
  for (const step of steps.slice(0, -1)) {
    const next = Object.hasOwn(holder, step) ? (holder[step] ?? {}) : {}
    if (!isObject(next)) throw new RuleError(`'${path}' leads through '${step}', which is no object`)
    holder[step] = next
    holder = next
  }
  return { holder, key: steps.at(-1)! }
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
