import type { z } from 'zod'
import { UserError } from '../../contract/api/faults.ts'
import { applyPatch, parsePatch, type PatchOperation, patchedRoots } from '../../contract/api/patch.ts'
import { fieldSince, type FieldTable, parameterSince, type ParameterTable } from '../../contract/api/matrix.ts'
import { parseAs } from '../../contract/api/schema-fault.ts'
import { links, pick, timeText, visible } from '../../contract/api/views.ts'
import type { IndexName, Platform } from '../platform.ts'
import type { Entity, Store } from '../store/entity.ts'
import { readJson } from './body.ts'
import type { Call } from './context.ts'
import { requireMatch, tagged } from './etag.ts'
import { requireIdent } from './find.ts'
import { requireVersion } from './microversion.ts'
import { collection, fieldsOf, onlyKnown, paging, shape, singular } from './query.ts'

/** What the resources of the API have in common: lists, single ones, creation, patches. */

type Needs = Pick<Platform, 'table' | 'clock' | 'ids'>
type Json = Record<string, unknown>

export interface Resource<T extends Entity> {
  /** In messages: `<title> … could not be found.` */
  title: string
  /** How a path's last part is called in messages, and from which version on it may be a name instead of a uuid; undefined: never. */
  ident: { argument: string; named?: number }
  /** The key of a list's reply and the line in the matrix. */
  table: FieldTable & ParameterTable
  /** Below /v1. */
  path: string
  store: Store<T>
  /** What `fields=` may name, beside links. */
  fields: readonly string[]
  short: readonly string[]
  /** Objects and lists, which have no order. */
  unsortable: readonly string[]
  view(value: T, call: Call): Json
}

export interface From<T> {
  /** The list's own path, where it isn't the resource's. */
  path?: string
  list?: { index: IndexName; pk: string }
  filters?: readonly string[]
  keep?: (value: T) => boolean
  detailed?: boolean
  /** After reading: what the caller may see of it. */
  only?: (values: T[]) => Promise<T[]>
}

export async function replyList<T extends Entity>(
  call: Call,
  { table }: Pick<Platform, 'table'>,
  resource: Resource<T>,
  { path = resource.path, list, filters = [], keep, detailed = false, only }: From<T> = {},
): Promise<Response> {
  onlyKnown(call, filters)
  requireVersion(call, { ...fieldSince[resource.table], ...parameterSince[resource.table] }, usedParameters(call))
  const { fields, cut } = shape(call, [...resource.fields, 'links'], resource.short, detailed)
  if (call.req.query('fields') !== undefined) requireVersion(call, fieldSince[resource.table], fields ?? [])
  const sortable = resource.fields.filter((field) => !resource.unsortable.includes(field))
  const { limit, marker, descending, sort } = paging(call, sortable)
  if (marker !== undefined) requireIdent(marker, 'marker', false)
  const after = marker === undefined ? undefined : await found(call, table, resource, marker)
  const by = sort === undefined ? undefined : { name: sort, by: (value: T) => value[sort as keyof T] }
  const page = await resource.store.list(table, { limit, after, descending, keep, sort: by, from: list })
  const values = only ? await only(page.values) : page.values
  const views = values.map((value) => cut(shown(call, resource, value)))
  return call.json(collection(call, resource.table, path, views, page.marker?.uuid))
}

function usedParameters(call: Call): string[] {
  return Object.keys(call.req.query())
}

/** The one that a path names; before 1.91 clients append `.json` at will. */
export async function found<T extends Entity>(
  call: Call,
  table: Platform['table'],
  { store, title, ident: { argument, named } }: Resource<T>,
  ident: string,
): Promise<T> {
  requireIdent(ident, argument, named !== undefined && call.var.minor >= named)
  const value =
    (await store.find(table, ident)) ??
    (call.var.minor < 91 && ident.endsWith('.json') ? await store.find(table, ident.slice(0, -5)) : undefined)
  if (!value) throw new UserError(404, `${title} ${ident} could not be found.`)
  if (call.req.method === 'PATCH' || call.req.method === 'DELETE') requireMatch(call, `${title} ${ident}`, value)
  return value
}

export function shown<T extends Entity>(call: Call, resource: Resource<T>, value: T): Json {
  const view = {
    links: links(call.var.showing, `${resource.path}/${value.uuid}`),
    ...resource.view(value, call),
    created_at: timeText(value.created_at),
    updated_at: timeText(value.updated_at),
  }
  return visible(view, fieldSince[resource.table], call.var.minor)
}

export function replyOne<T extends Entity>(call: Call, resource: Resource<T>, value: T): Response {
  onlyKnown(call, [], singular)
  const fields = fieldsOf(call, [...resource.fields, 'links'])
  requireVersion(call, { ...fieldSince[resource.table], ...parameterSince[resource.table] }, [
    ...(fields ?? []),
    ...usedParameters(call),
  ])
  const view = shown(call, resource, value)
  return tagged(call, value, fields ? pick(view, fields) : view)
}

/** What the validator calls the body of each. */
const nouns: Readonly<Record<FieldTable, string>> = {
  nodes: 'node',
  ports: 'port',
  portgroups: 'portgroup',
  chassis: 'chassis',
  allocations: 'allocation',
  deploy_templates: 'template',
  runbooks: 'runbook',
  inspection_rules: 'inspection_rule',
  connectors: 'connector',
  targets: 'target',
  history: 'history',
  bios: 'bios',
  firmware: 'firmware',
  webhooks: 'webhook',
}

/** A body that makes something new; fields that are newer than the request are refused. */
export async function creationOf<S extends z.ZodType>(call: Call, table: FieldTable, schema: S): Promise<z.output<S>> {
  const body = (await readJson(call)) ?? {}
  if (typeof body === 'object' && body !== null) requireVersion(call, fieldSince[table], Object.keys(body))
  return parseAs(nouns[table], schema, body)
}

/** What every new one begins with. */
export function newborn({ clock, ids }: Needs, uuid: string | null | undefined): Entity {
  return {
    uuid: uuid?.toLowerCase() ?? ids.uuid(),
    created_at: clock.now().toISOString(),
    updated_at: null,
    version: 1,
  }
}

export async function create<T extends Entity>(
  call: Call,
  { table }: Pick<Platform, 'table'>,
  resource: Resource<T>,
  value: T,
): Promise<Response> {
  await resource.store.save(table, undefined, value)
  call.header('location', `${call.var.showing.base}/v1/${resource.path}/${value.uuid}`)
  return tagged(call, value, shown(call, resource, value), 201)
}

export interface Patching<T extends Entity> {
  /** What the result must be. */
  schema: z.ZodType<Partial<T>>
  /** By attribute that may be patched: what it is after its removal; undefined: it can't be removed. */
  defaults: Readonly<Json>
  /** Refuses, or changes more. */
  decide?: (before: T, after: T, touched: Set<string>) => T | Promise<T>
}

/** The parsed patch, versions of its attributes checked. */
export async function patchOf(call: Call, table: FieldTable): Promise<PatchOperation[]> {
  const patch = parsePatch(await readJson(call))
  requireVersion(call, fieldSince[table], patchedRoots(patch))
  return patch
}

export async function update<T extends Entity>(
  call: Call,
  platform: Needs,
  resource: Resource<T>,
  ident: string,
  patching: Patching<T>,
): Promise<Response> {
  const patch = await patchOf(call, resource.table)
  const after = await changed(platform, resource, await found(call, platform.table, resource, ident), (before) => {
    requireMatch(call, `${resource.title} ${ident}`, before)
    const document = Object.fromEntries(
      Object.keys(patching.defaults).map((field) => [field, before[field as keyof T]]),
    )
    const wanted = applyPatch(document, patch, { defaults: patching.defaults, escapes: call.var.minor >= 98 })
    const next = { ...before, ...parseAs('patch', patching.schema, wanted) }
    return patching.decide?.(before, next, patchedRoots(patch)) ?? next
  })
  return tagged(call, after, shown(call, resource, after))
}

const ATTEMPTS = 30

/** Read, decide, write if nobody wrote meanwhile, else anew with what they wrote. */
export async function changed<T extends Entity>(
  { table, clock }: Pick<Platform, 'table' | 'clock'>,
  { store, title }: Pick<Resource<T>, 'store' | 'title'>,
  first: T,
  decide: (before: T) => T | Promise<T>,
): Promise<T> {
  let before: T | undefined = first
  for (let attempt = 0; attempt < ATTEMPTS && before; attempt += 1) {
    const after: T = {
      ...(await decide(before)),
      updated_at: clock.now().toISOString(),
      version: before.version + 1,
    }
    if (await store.save(table, before, after)) return after
    before = await store.get(table, first.uuid)
  }
  throw before
    ? new UserError(409, `${title} ${first.uuid} is being changed by many at once, please retry.`)
    : new UserError(404, `${title} ${first.uuid} could not be found.`)
}
