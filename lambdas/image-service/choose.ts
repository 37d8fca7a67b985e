import { UserError } from '../../contract/api/faults.ts'
import { matches } from '../openstack/listing.ts'
import type { ImageView } from './view.ts'

/** Which images a list shows, and in what order. Pure. */

type View = ImageView & Record<string, unknown>
type Query = Record<string, string[]>

const aside = [
  'limit',
  'marker',
  'sort',
  'sort_key',
  'sort_dir',
  'visibility',
  'member_status',
  'tag',
  'size_min',
  'size_max',
]
const instants = ['created_at', 'updated_at'] as const

export function chosen(views: readonly View[], query: Query): View[] {
  const rest = Object.fromEntries(
    Object.entries(query)
      .filter(([name]) => !aside.includes(name) && !instants.includes(name as 'created_at'))
      .map(([name, texts]) => [name, texts.flatMap(choices)]),
  )
  const [smallest, largest] = [numberOf(query, 'size_min') ?? 0, numberOf(query, 'size_max') ?? Infinity]
  const bounded = smallest > 0 || largest < Infinity
  const tags = query['tag'] ?? []
  return views.filter(
    (view) =>
      // A property that an image lacks is not what was asked for.
      Object.keys(rest).every((name) => name in view) &&
      matches(view, rest) &&
      tags.every((tag) => view.tags.includes(tag)) &&
      (!bounded || (view.size !== null && view.size >= smallest && view.size <= largest)) &&
      instants.every((name) => (query[name] ?? []).every((text) => isWhen(view[name], text))),
  )
}

/** `in:a,b` is one of these; what has a comma in it is quoted. */
function choices(text: string): string[] {
  if (!text.startsWith('in:')) return [text]
  return [...text.slice(3).matchAll(/"((?:[^"\\]|\\.)*)"|([^,]+)/g)].map(
    ([, quoted, plain]) => quoted?.replaceAll(/\\(.)/g, '$1') ?? plain ?? '',
  )
}

const comparisons: Readonly<Record<string, (a: number, b: number) => boolean>> = {
  gt: (a, b) => a > b,
  gte: (a, b) => a >= b,
  lt: (a, b) => a < b,
  lte: (a, b) => a <= b,
  eq: (a, b) => a === b,
  neq: (a, b) => a !== b,
}

function isWhen(own: string, text: string): boolean {
  const [, operator = 'eq', instant = text] = /^(gte?|lte?|n?eq):(.+)$/.exec(text) ?? []
  const wanted = Date.parse(instant)
  if (Number.isNaN(wanted)) throw new UserError(400, `Invalid time: ${text.slice(0, 64)}`)
  return comparisons[operator]!(Date.parse(own), wanted)
}

function numberOf(query: Query, name: string): number | undefined {
  const [text] = query[name] ?? []
  if (text === undefined) return undefined
  if (!/^\d{1,15}$/.test(text)) throw new UserError(400, `Invalid filter: ${name} is a number of bytes.`)
  return Number(text)
}

const sortable = 'name status container_format disk_format size id created_at updated_at min_disk min_ram'.split(' ')

/** By `sort=name:asc,size`, or as of old by sort_key and sort_dir; the newest first unless told, and by id in the end. */
export function sorted(views: readonly View[], query: Query): View[] {
  const keys = sortKeys(query)
  return [...views].sort((a, b) => {
    for (const [name, direction] of keys) {
      const order = compare(a[name], b[name])
      if (order !== 0) return direction === 'asc' ? order : -order
    }
    return 0
  })
}

function sortKeys({ sort, sort_key: keys, sort_dir: directions = [] }: Query): Array<[string, string]> {
  const asked: Array<[string, string]> = sort
    ? sort
        .join(',')
        .split(',')
        .map((text) => [text.split(':')[0]!, text.split(':')[1] ?? 'desc'])
    : (keys ?? []).map((name, at) => [name, directions[at] ?? directions[0] ?? 'desc'])
  for (const [name, direction] of asked) {
    if (!sortable.includes(name))
      throw new UserError(400, `Invalid sort key: ${name.slice(0, 64)}. It must be one of ${sortable.join(', ')}.`)
    if (direction !== 'asc' && direction !== 'desc')
      throw new UserError(400, `Invalid sort direction: ${direction.slice(0, 64)}`)
  }
  const all = [...asked, ['created_at', 'desc'], ['id', 'desc']] as Array<[string, string]>
  return all.filter(([name], at) => all.findIndex(([other]) => other === name) === at)
}

function compare(a: unknown, b: unknown): number {
  if (a === b) return 0
  if (a === null || a === undefined) return -1
  if (b === null || b === undefined) return 1
  return a < b ? -1 : 1
}
