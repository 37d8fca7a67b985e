import { UserError } from '../../contract/api/faults.ts'
import { flag } from '../api/query.ts'
import type { Table } from '../platform.ts'
import type { Entity, EntityPage, Store } from '../store/entity.ts'
import type { Call } from './context.ts'
import { seesAll } from './rights.ts'

/** Lists as OpenStack's services page them: `limit` and `marker`, in order of creation, filtered by fields of what is shown. */

const MOST = 1000

export interface Asked {
  limit: number
  marker: string | undefined
  /** What else the query says: a name may come several times. */
  filters: Record<string, string[]>
}

const ordering = ['limit', 'marker', 'sort_key', 'sort_dir', 'page_reverse', 'fields']

export function asked(call: Call): Asked {
  const { limit, marker } = call.req.query()
  const size = limit === undefined ? MOST : Number(limit)
  if (!Number.isInteger(size) || size < 0) throw new UserError(400, `Invalid limit: ${String(limit).slice(0, 64)}`)
  const filters = Object.fromEntries(Object.entries(call.req.queries()).filter(([name]) => !ordering.includes(name)))
  return { limit: size === 0 ? MOST : Math.min(size, MOST), marker, filters }
}

type From = EntityPage<unknown>['from']

/** The list to be read: one project's where the caller may or wants to see no other's, else (undefined) that of all. */
export function listFor(call: Call, { filters }: Asked, ofProject: (project: string) => NonNullable<From>): From {
  if (!seesAll(call)) return ofProject(call.var.caller.project?.id ?? '')
  const [project, ...others] = ['project_id', 'tenant_id'].flatMap((name) => filters[name] ?? [])
  return project === undefined || others.length > 0 ? undefined : ofProject(project)
}

/** A page of a store's list, of what the caller `sees` and `keep` keeps. */
export async function pageOf<T extends Entity>(
  table: Table,
  store: Store<T>,
  { limit, marker }: Asked,
  from: From,
  sees: (value: T) => boolean,
  keep: (value: T) => boolean = () => true,
): Promise<{ values: T[]; next: string | undefined }> {
  const after = marker === undefined ? undefined : await store.get(table, marker)
  if (marker !== undefined && !(after && sees(after)))
    throw new UserError(400, `The marker ${marker.slice(0, 64)} is no longer there.`)
  const page = { limit, after, keep: (value: T) => sees(value) && keep(value), ...(from ? { from } : {}) }
  const { values, marker: last } = await store.list(table, page)
  return { values, next: last?.uuid }
}

/** Whether what is shown has, for each filter, one of the values that it names. Fields that it doesn't have filter nothing out. */
export function matches(view: Record<string, unknown>, filters: Record<string, string[]>): boolean {
  const { tags } = view
  return Object.entries(filters).every(([name, wanted]) => {
    const of = Array.isArray(tags) ? tagFilters[name] : undefined
    if (of) return of(tags as string[], wanted.join(',').split(','))
    return !(name in view) || wanted.some((each) => isText(view[name], each))
  })
}

/** As Neutron has them: all of those named, or any. */
const tagFilters: Readonly<Record<string, (tags: readonly string[], named: readonly string[]) => boolean>> = {
  tags: (tags, named) => named.every((each) => tags.includes(each)),
  'tags-any': (tags, named) => named.some((each) => tags.includes(each)),
  'not-tags': (tags, named) => !named.every((each) => tags.includes(each)),
  'not-tags-any': (tags, named) => !named.some((each) => tags.includes(each)),
}

function isText(value: unknown, wanted: string): boolean {
  if (typeof value === 'boolean') return value === flag('filter', wanted)
  return wanted === (typeof value === 'string' ? value : JSON.stringify(value))
}

/** Links to the page after this one. */
export function nextLink(call: Call, path: string, next: string | undefined): { rel: 'next'; href: string }[] {
  if (next === undefined) return []
  const query = new URL(call.req.url).searchParams
  query.set('marker', next)
  return [{ rel: 'next', href: `${call.var.base}${path}?${query.toString()}` }]
}
