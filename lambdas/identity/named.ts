import { UserError } from '../../contract/api/faults.ts'
import type { Group, Project, Role, User } from '../../contract/identity.ts'
import { ConflictError, type Item, type Key, type Table, type Write } from '../platform.ts'
import { all } from '../store/paging.ts'

/** Users, groups, projects and roles in the table: each by its id, and by its name, which is unique among its kind. */

interface Kinds {
  user: User
  group: Group
  project: Project
  role: Role
}
export type Kind = keyof Kinds

const key = (kind: Kind, id: string): Key => ({ pk: `${kind}#${id}`, sk: kind })
const nameKey = (kind: Kind, name: string): Key => ({ pk: `${kind}-name#${name}`, sk: 'name' })

function item<K extends Kind>(kind: K, value: Kinds[K]): Item {
  return {
    ...key(kind, value.id),
    version: value.version,
    value,
    by: { all: { pk: `${kind}s`, sk: `${value.name}#${value.id}` } },
  }
}

function nameItem(kind: Kind, { id, name }: { id: string; name: string }): Item {
  return { ...nameKey(kind, name), version: 1, value: { id } }
}

export async function getNamed<K extends Kind>(table: Table, kind: K, id: string): Promise<Kinds[K] | undefined> {
  return (await table.get(key(kind, id)))?.value as Kinds[K] | undefined
}

export async function findNamed<K extends Kind>(table: Table, kind: K, name: string): Promise<Kinds[K] | undefined> {
  const pointer = (await table.get(nameKey(kind, name)))?.value as { id: string } | undefined
  return pointer && getNamed(table, kind, pointer.id)
}

/** All of them, by name. */
export function listNamed<K extends Kind>(table: Table, kind: K): Promise<Array<Kinds[K]>> {
  return all<Kinds[K]>(table, { index: 'all', pk: `${kind}s` })
}

/** What has to be written for a new one. */
export function creation<K extends Kind>(kind: K, value: Kinds[K]): Write[] {
  return [
    { put: nameItem(kind, value), expect: 'absent' },
    { put: item(kind, value), expect: 'absent' },
  ]
}

export async function createNamed<K extends Kind>(table: Table, kind: K, value: Kinds[K]): Promise<void> {
  await unlessTaken(kind, value.name, () => table.write(creation(kind, value)))
}

const ATTEMPTS = 10

/** Undefined: there is none. */
export async function updateNamed<K extends Kind>(
  table: Table,
  kind: K,
  id: string,
  decide: (before: Kinds[K]) => Kinds[K],
): Promise<Kinds[K] | undefined> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const before = await getNamed(table, kind, id)
    if (!before) return undefined
    const after = { ...decide(before), version: before.version + 1 }
    const renamed = after.name !== before.name
    const writes: Write[] = [
      { put: item(kind, after), expect: before.version },
      ...(renamed ? [{ put: nameItem(kind, after), expect: 'absent' as const }] : []),
      ...(renamed ? [{ delete: nameKey(kind, before.name) }] : []),
    ]
    try {
      await table.write(writes)
      return after
    } catch (error) {
      if (!(error instanceof ConflictError)) throw error
      if (error.index === 1) throw taken(kind, after.name)
    }
  }
  throw busy(kind, id)
}

/** With the name that it has then: it may be renamed meanwhile, and its old name be another's. */
export async function deleteNamed<K extends Kind>(table: Table, kind: K, { id }: Pick<Kinds[K], 'id'>): Promise<void> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const now = await getNamed(table, kind, id)
    if (!now) return
    try {
      return await table.write([{ delete: key(kind, id), expect: now.version }, { delete: nameKey(kind, now.name) }])
    } catch (error) {
      if (!(error instanceof ConflictError)) throw error
    }
  }
  throw busy(kind, id)
}

/** Part of a write that is void where it is gone. */
export function presence(kind: Kind, id: string): Write {
  return { check: key(kind, id), expect: 'present' }
}

function busy(kind: Kind, id: string): UserError {
  return new UserError(409, `The ${kind} ${id} is being changed by many at once, please retry.`)
}

async function unlessTaken(kind: Kind, name: string, write: () => Promise<void>): Promise<void> {
  try {
    await write()
  } catch (error) {
    if (error instanceof ConflictError) throw taken(kind, name)
    throw error
  }
}

function taken(kind: Kind, name: string): UserError {
  return new UserError(
    409,
    `Conflict occurred attempting to store ${kind} - it is not permitted to have two with the name ${name}.`,
  )
}
