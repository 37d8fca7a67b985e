import { UserError } from '../../contract/api/faults.ts'
import type { Appliance } from '../../contract/resources.ts'
import { ConflictError, type Item, type Key, type Table } from '../platform.ts'
import { all, items } from './paging.ts'

const ALIVE_SECONDS = 90

export const applianceKey = (uuid: string): Key => ({ pk: `appliance#${uuid}`, sk: 'appliance' })
export const applianceNameKey = (name: string): Key => ({ pk: `appliance-name#${name}`, sk: 'name' })

let written = 0

/** Grows with each appliance that this process writes or deletes: what was read before is then old. */
export function appliancesWritten(): number {
  return written
}

/** Listed by when their silence will have been long. */
export const APPLIANCES_DUE = 'due-appliances'
const SILENT_SECONDS = 600
const dueAt = (due: Date, uuid: string): Key => ({ pk: APPLIANCES_DUE, sk: `${due.toISOString()}#${uuid}` })

/** `due`: when to see to its nodes unless it is heard of before; null: that has been done. */
export function applianceItem(appliance: Appliance, due = longSilent(appliance)): Item {
  written += 1
  const sk = `${appliance.created_at}#${appliance.uuid}`
  return {
    ...applianceKey(appliance.uuid),
    version: appliance.version,
    value: appliance,
    by: {
      all: { pk: 'appliances', sk },
      site: { pk: `appliances-of#${appliance.site}`, sk },
      ...(due && { due: dueAt(due, appliance.uuid) }),
    },
  }
}

/** What is kept of an appliance that was deleted until others look after its nodes. */
export function departedItem(appliance: Appliance, due: Date, version = 1): Item {
  const key = { pk: `departed#${appliance.uuid}`, sk: 'departed' }
  return { ...key, version, value: appliance, by: { due: dueAt(due, appliance.uuid) } }
}

export const isDeparted = ({ sk }: Item): boolean => sk === 'departed'

function longSilent({ last_seen }: Appliance): Date | null {
  return last_seen === null ? null : new Date(Date.parse(last_seen) + SILENT_SECONDS * 1000)
}

export async function getAppliance(table: Table, uuid: string): Promise<Appliance | undefined> {
  return (await table.get(applianceKey(uuid)))?.value as Appliance | undefined
}

export async function applianceNamed(table: Table, name: string): Promise<Appliance | undefined> {
  const pointer = (await table.get(applianceNameKey(name)))?.value as { appliance: string } | undefined
  return pointer && getAppliance(table, pointer.appliance)
}

export function appliancesOf(table: Table, site: string): Promise<Appliance[]> {
  return all<Appliance>(table, { index: 'site', pk: `appliances-of#${site}` })
}

export function allAppliances(table: Table): Promise<Appliance[]> {
  return all<Appliance>(table, { index: 'all', pk: 'appliances' })
}

export function isAlive(appliance: Appliance, now: Date): boolean {
  return appliance.last_seen !== null && now.getTime() - Date.parse(appliance.last_seen) <= ALIVE_SECONDS * 1000
}

/** Fine enough for `isAlive`: an appliance that acknowledges many commands is not written for each. */
const NOTED_MS = 5000

/** It was heard of. Losing to another such note is fine: that one is as new. */
export async function markSeen(
  table: Table,
  appliance: Appliance,
  told: Pick<Appliance, 'volumes' | 'features'> & { software: string; hello: boolean },
  now: Date,
): Promise<void> {
  const { software, volumes } = told
  const features = told.hello ? told.features : appliance.features
  const since = appliance.last_seen === null ? Number.NaN : now.getTime() - Date.parse(appliance.last_seen)
  const isKnown =
    appliance.software === software &&
    appliance.volumes?.gib === volumes?.gib &&
    String(appliance.features) === String(features)
  if (isKnown && since >= 0 && since < NOTED_MS) return
  const { volumes: _, features: __, ...rest } = appliance
  const seen: Appliance = {
    ...rest,
    software,
    last_seen: now.toISOString(),
    version: appliance.version + 1,
    ...(volumes && { volumes }),
    ...(features && { features }),
  }
  try {
    await table.write([{ put: applianceItem(seen), expect: appliance.version }])
  } catch (error) {
    if (!(error instanceof ConflictError)) throw error
  }
}

/** Rejects with ConflictError when it was written meanwhile, with UserError when the name is another's. */
export async function renameAppliance(table: Table, before: Appliance, name: string): Promise<Appliance> {
  if (name === before.name) return before
  const after = { ...before, name, version: before.version + 1 }
  try {
    await table.write([
      { put: applianceItem(after), expect: before.version },
      { put: { ...applianceNameKey(name), version: 1, value: { appliance: before.uuid } }, expect: 'absent' },
      { delete: applianceNameKey(before.name) },
    ])
    return after
  } catch (error) {
    if (!(error instanceof ConflictError) || error.index === 0) throw error
    throw new UserError(409, `An appliance with name ${name} is already enrolled: choose another name.`)
  }
}

/** With its name, and the commands that it will never fetch. Rejects with ConflictError when it was written meanwhile. */
export async function removeAppliance(table: Table, appliance: Appliance, now: Date): Promise<void> {
  const key = applianceKey(appliance.uuid)
  written += 1
  await table.write([
    { delete: key, expect: appliance.version },
    { delete: applianceNameKey(appliance.name) },
    { put: departedItem(appliance, now), expect: 'absent' },
  ])
  const left: Key[] = []
  for await (const { pk, sk } of items(table, { pk: key.pk })) left.push({ pk, sk })
  for (let at = 0; at < left.length; at += 100)
    await table.write(left.slice(at, at + 100).map((each) => ({ delete: each })))
}
