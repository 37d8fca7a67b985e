import { z } from 'zod'
import { UserError } from './faults.ts'

/** JSON-patch as Ironic restricts it (RFC 6902 with add, replace and remove, and only below attributes that may be patched). */

type Json = Record<string, unknown>

const operation = z.strictObject({
  op: z.enum(['add', 'replace', 'remove']),
  path: z.string().max(1024),
  value: z.unknown().optional(),
})
const operations = z.array(operation).min(1).max(500)
export type PatchOperation = z.infer<typeof operation>

export interface Patchable {
  /** Root attributes that may be patched; a plain `remove` of one sets this value. Undefined: mandatory, can't be removed. */
  defaults: Readonly<Json>
  /** From 1.98 on, `~0` and `~1` in paths stand for ~ and /. */
  escapes: boolean
}

export function parsePatch(body: unknown): PatchOperation[] {
  const parsed = operations.safeParse(body)
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  throw new UserError(400, `Invalid JSON-patch: ${issue?.path.join('/') ?? ''}: ${issue?.message ?? 'malformed'}`)
}

/** The document with all operations applied in order, or a UserError; `document` itself is never changed. */
export function applyPatch(document: Readonly<Json>, patch: PatchOperation[], allowed: Patchable): Json {
  const copy = structuredClone(document) as Json
  for (const each of patch) apply(copy, each, allowed)
  return copy
}

/** The root attributes that a patch touches. */
export function patchedRoots(patch: PatchOperation[]): Set<string> {
  return new Set(patch.map(({ path }) => path.split('/')[1] ?? ''))
}

function apply(document: Json, { op, path, value }: PatchOperation, allowed: Patchable): void {
  const keys = parsePath(path, allowed.escapes)
  const [root, ...rest] = keys as [string, ...string[]]
  if (!Object.hasOwn(allowed.defaults, root)) throw refused(path, `'/${root}' is an internal attribute or unknown`)
  if (op !== 'remove' && value === undefined) throw refused(path, `'${op}' needs a value`)
  if (rest.length > 0) return applyBelow(document, op, path, keys, value)
  if (op !== 'remove') {
    document[root] = structuredClone(value)
    return
  }
  if (allowed.defaults[root] === undefined) throw refused(path, `'${path}' is mandatory and can't be removed`)
  document[root] = structuredClone(allowed.defaults[root])
}

function applyBelow(document: Json, op: PatchOperation['op'], path: string, keys: string[], value: unknown): void {
  const last = keys.at(-1) as string
  const parent = keys.slice(0, -1).reduce<unknown>((at, key) => child(at, key), document)
  if (Array.isArray(parent)) return applyToArray(parent, op, path, last, value)
  if (!isObject(parent)) throw refused(path, `'${path}' has no parent object`)
  if (op !== 'add' && !Object.hasOwn(parent, last)) throw refused(path, `'${path}' does not exist`)
  if (op === 'remove') delete parent[last]
  else parent[last] = structuredClone(value)
}

function applyToArray(list: unknown[], op: PatchOperation['op'], path: string, key: string, value: unknown): void {
  const index = key === '-' && op === 'add' ? list.length : /^(0|[1-9]\d{0,5})$/.test(key) ? Number(key) : -1
  if (index < 0 || index >= list.length + (op === 'add' ? 1 : 0)) throw refused(path, `'${path}' does not exist`)
  if (op === 'remove') list.splice(index, 1)
  else list.splice(index, op === 'replace' ? 1 : 0, structuredClone(value))
}

function parsePath(path: string, escapes: boolean): string[] {
  const form = escapes ? /^(\/([\w-]|~[01])+)+$/ : /^(\/[\w-]+)+$/
  if (!form.test(path)) throw refused(path, 'a path is /attribute or /attribute/key')
  const keys = path.slice(1).split('/')
  const decoded = escapes ? keys.map((key) => key.replaceAll('~1', '/').replaceAll('~0', '~')) : keys
  if (decoded.includes('__proto__')) throw refused(path, 'no such attribute')
  return decoded
}

function child(of: unknown, key: string): unknown {
  if (Array.isArray(of)) return of[Number(key)]
  return isObject(of) && Object.hasOwn(of, key) ? of[key] : undefined
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function refused(path: string, why: string): UserError {
  return new UserError(400, `Couldn't apply patch to '${path}'. Reason: ${why}`)
}
