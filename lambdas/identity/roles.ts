import { createHash } from 'node:crypto'
import { implications, type Role, standardRoles } from '../../contract/identity.ts'
import type { Table } from '../platform.ts'
import { findNamed, getNamed, listNamed } from './named.ts'

/** Standard roles are not stored: they are the same everywhere and can't be changed, so that their ids follow from their names. */
const standard: readonly Role[] = standardRoles.map((name) => ({
  id: createHash('sha256').update(`standard role ${name}`).digest('hex').slice(0, 32),
  name,
  description: null,
  version: 1,
}))
const byId = new Map(standard.map((role) => [role.id, role]))
const byName = new Map(standard.map((role) => [role.name, role]))

export function isStandard({ id, name }: { id?: string; name?: string }): boolean {
  return (id !== undefined && byId.has(id)) || (name !== undefined && byName.has(name))
}

export function standardRole(name: (typeof standardRoles)[number]): Role {
  return byName.get(name) as Role
}

export async function getRole(table: Table, id: string): Promise<Role | undefined> {
  return byId.get(id) ?? getNamed(table, 'role', id)
}

export async function roleNamed(table: Table, name: string): Promise<Role | undefined> {
  return byName.get(name) ?? findNamed(table, 'role', name)
}

export async function listRoles(table: Table): Promise<Role[]> {
  return [...standard, ...(await listNamed(table, 'role'))]
}

/** Those of the ids that exist, with all that they imply, each once. */
export async function effectiveRoles(table: Table, ids: Iterable<string>): Promise<Role[]> {
  const granted = await Promise.all([...new Set(ids)].map((id) => getRole(table, id)))
  const roles = new Map(granted.filter((role) => role !== undefined).map((role) => [role.name, role]))
  for (const [has, gets] of implications) if (roles.has(has)) roles.set(gets, standardRole(gets))
  return [...roles.values()]
}
