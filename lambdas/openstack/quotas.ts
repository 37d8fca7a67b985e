import { randomInt } from 'node:crypto'
import { setTimeout } from 'node:timers/promises'
import { UserError } from '../../contract/api/faults.ts'
import { ConflictError, type Key, type Table, type Write } from '../platform.ts'

/** How much of what a project may have, and has. What it has is counted in one item, written in the transaction that makes or deletes the
 * thing: however many are asked for at once, there are never more than the limit. */

/** -1 is no limit. */
export const defaultLimits = {
  instances: -1,
  cores: -1,
  ram: -1,
  key_pairs: 100,
  metadata_items: 128,
  server_groups: 100,
  server_group_members: 256,
  network: -1,
  subnet: -1,
  port: -1,
  volumes: -1,
  gigabytes: -1,
  snapshots: -1,
  image_count_total: -1,
  image_count_uploading: -1,
  /** MiB. */
  image_size_total: -1,
  image_stage_total: -1,
} as const
export type Resource = keyof typeof defaultLimits
const ofNetworks = new Set<string>(['network', 'subnet', 'port'] satisfies Resource[])
const ofImages = (name: string): boolean => name.startsWith('image_')
export type Amounts = Partial<Record<Resource, number>>

/** Where the limits are that hold for projects that have none of their own. */
export const DEFAULTS = '#default'
const limitsKey = (project: string): Key => ({ pk: `quota#${project}`, sk: 'quota' })
const usageKey = (project: string): Key => ({ pk: `quota-usage#${project}`, sk: 'quota-usage' })

export async function limitsOf(table: Table, project: string): Promise<Record<Resource, number>> {
  const [general, own] = await Promise.all([DEFAULTS, project].map((of) => table.get(limitsKey(of))))
  return { ...defaultLimits, ...(general?.value as Amounts), ...(own?.value as Amounts) }
}

/** Of the project itself, without what holds for all. */
export async function ownLimitsOf(table: Table, project: string): Promise<Amounts> {
  return ((await table.get(limitsKey(project)))?.value as Amounts | undefined) ?? {}
}

export async function usageOf(table: Table, project: string): Promise<Record<Resource, number>> {
  const nothing = Object.fromEntries(Object.keys(defaultLimits).map((name) => [name, 0])) as Record<Resource, number>
  return { ...nothing, ...((await table.get(usageKey(project)))?.value as Amounts) }
}

const ATTEMPTS = 30

/** `undefined` for one: the default holds again. */
export async function setLimits(
  table: Table,
  project: string,
  given: { [name in Resource]?: number | undefined },
): Promise<void> {
  const key = limitsKey(project)
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const before = await table.get(key)
    const value = JSON.parse(JSON.stringify({ ...(before?.value as Amounts), ...given })) as Amounts
    const version = (before?.version ?? 0) + 1
    try {
      return await table.write([{ put: { ...key, version, value }, expect: before?.version ?? 'absent' }])
    } catch (error) {
      if (!(error instanceof ConflictError)) throw error
    }
  }
  throw busy(project)
}

const busy = (project: string): UserError =>
  new UserError(409, `The quotas of project ${project} are being changed by many at once, please retry.`)

/** Throws where it would be too much. */
export async function requireRoom(table: Table, project: string, wanted: Amounts): Promise<void> {
  const [limits, used] = await Promise.all([limitsOf(table, project), usageOf(table, project)])
  for (const [name, count = 0] of Object.entries(wanted) as Array<[Resource, number | undefined]>) {
    const limit = limits[name]
    if (count <= 0 || limit < 0 || used[name] + count <= limit) continue
    // As each service says it.
    if (ofImages(name))
      throw new UserError(
        413,
        `Project ${project} is over a limit for [Resource ${name} is over limit of ${limit} due to current usage ${used[name]} and delta ${count}]`,
      )
    throw new UserError(
      ofNetworks.has(name) ? 409 : 403,
      `Quota exceeded for ${name}: Requested ${count}, but already used ${used[name]} of ${limit} ${name}`,
    )
  }
}

const CHARGES = 200
const LOCKSTEP = 3
const PAUSE_MS = 40

/** A table by which one thing is made or deleted: what is written is charged to the project, or given back to it, in the same transaction. */
export function charging(table: Table, project: string, amounts: Amounts): Table {
  const briefs = table.briefs?.bind(table)
  return {
    get: (key) => table.get(key),
    query: (query) => table.query(query),
    ...(briefs ? { briefs } : {}),
    async write(writes) {
      for (let attempt = 0; attempt < CHARGES; attempt += 1) {
        // Of those who come at once one is served in each round: those who wait don't come at once again.
        if (attempt > LOCKSTEP) await setTimeout(randomInt(1, PAUSE_MS))
        await requireRoom(table, project, amounts)
        try {
          return await table.write([...writes, await charge(table, project, amounts)])
        } catch (error) {
          if (!(error instanceof ConflictError && error.index === writes.length)) throw error
        }
      }
      throw busy(project)
    },
  }
}

/** Things from before there were counts are given back without having been charged. */
async function charge(table: Table, project: string, amounts: Amounts): Promise<Write> {
  const key = usageKey(project)
  const before = await table.get(key)
  const value: Amounts = { ...(before?.value as Amounts) }
  for (const [name, count = 0] of Object.entries(amounts) as Array<[Resource, number | undefined]>)
    value[name] = Math.max(0, (value[name] ?? 0) + count)
  return { put: { ...key, version: (before?.version ?? 0) + 1, value }, expect: before?.version ?? 'absent' }
}
