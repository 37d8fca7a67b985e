import { z } from 'zod'
import { UserError } from './faults.ts'
import { parseAs, shown } from './schema-fault.ts'

/** JSON-patch as Ironic restricts it (RFC 6902 with add, replace and remove, and only below attributes that may be patched). */

type Json = Record<string, unknown>

const operation = z.strictObject({
  op: z.enum(['add', 'replace', 'remove']),
  path: z.string().max(1024),
  value: z.unknown().optional(),
})
const operations = z.array(operation).max(500)
export type PatchOperation = z.infer<typeof operation>

export interface Patchable {
  /** Root attributes that may be patched; a plain `remove` of one sets this value. Undefined: mandatory, can't be removed. */
  defaults: Readonly<Json>
  /** From 1.98 on, `~0` and `~1` in paths stand for ~ and /. */
  escapes: boolean
}

export function parsePatch(body: unknown): PatchOperation[] {
  return parseAs('patch', operations, body)
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

function apply(document: Json, operation: PatchOperation, allowed: Patchable): void {
  const { op, path, value } = operation
  const keys = parsePath(path, allowed.escapes)
  const [root, ...rest] = keys as [string, ...string[]]
  if (!Object.hasOwn(allowed.defaults, root))
    throw new UserError(
      400,
      `Cannot patch ${path}. Only the following can be updated: ${Object.keys(allowed.defaults).sort().join(', ')}`,
    )
  if (op !== 'remove' && value === undefined)
    throw refused(operation, "The operation does not contain a 'value' member")
  if (rest.length > 0) return applyBelow(document, operation, keys)
  if (op !== 'remove') {
    document[root] = structuredClone(value)
    return
  }
  if (allowed.defaults[root] === undefined)
    throw new UserError(400, `Schema error for patch: '${root}' is a required property`)
  document[root] = structuredClone(allowed.defaults[root])
}

function applyBelow(document: Json, operation: PatchOperation, keys: string[]): void {
  const { op, value } = operation
  const last = keys.at(-1) as string
  const parent = keys.slice(0, -1).reduce<unknown>((at, key) => child(at, key), document)
  if (Array.isArray(parent)) return applyToArray(parent, operation, last)
  if (!isObject(parent)) throw refused(operation, `member '${keys.at(-2)}' not found in the document`)
  if (op !== 'add' && !Object.hasOwn(parent, last))
    throw refused(operation, `can't ${op} a non-existent object '${last}'`)
  if (op === 'remove') delete parent[last]
  else parent[last] = structuredClone(value)
}

function applyToArray(list: unknown[], operation: PatchOperation, key: string): void {
  const { op, value } = operation
  const index = key === '-' && op === 'add' ? list.length : /^(0|[1-9]\d{0,5})$/.test(key) ? Number(key) : -1
  if (index < 0 || index >= list.length + (op === 'add' ? 1 : 0))
    throw refused(operation, `can't ${op} outside of list`)
  if (op === 'remove') list.splice(index, 1)
  else list.splice(index, op === 'replace' ? 1 : 0, structuredClone(value))
}

function parsePath(path: string, escapes: boolean): string[] {
  const form = escapes ? /^(\/([\w-]|~[01])+)+$/ : /^(\/[\w-]+)+$/
  if (!form.test(path))
    throw new UserError(
      400,
      `Schema error for patch: ${shown(path)} does not match '${form.source.replaceAll('\\/', '/').replaceAll('\\', '\\\\')}'`,
    )
  const keys = path.slice(1).split('/')
  const decoded = escapes ? keys.map((key) => key.replaceAll('~1', '/').replaceAll('~0', '~')) : keys
  if (decoded.includes('__proto__')) throw new UserError(400, `Cannot patch ${path}: there is no such attribute.`)
  return decoded
}

function child(of: unknown, key: string): unknown {
  if (Array.isArray(of)) return of[Number(key)]
  return isObject(of) && Object.hasOwn(of, key) ? of[key] : undefined
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function refused(operation: PatchOperation, why: string): UserError {
  return new UserError(400, `Couldn't apply patch '${shown(operation)}'. Reason: ${why}`)
}
