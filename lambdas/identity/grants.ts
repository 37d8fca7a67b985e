import { DOMAIN, type Target } from '../../contract/identity.ts'
import { UserError } from '../../contract/api/faults.ts'
import { ConflictError, type Item, type Key, type Table, type Write } from '../platform.ts'
import { all } from '../store/paging.ts'
import { presence } from './named.ts'

/** Who has which role on what. */
export interface Grant {
  /** A user, or where `group` says so a group. */
  user: string
  group?: true
  target: Target
  role: string
}

const textOf = (target: Target): string =>
  target.kind === 'project' ? `project#${target.id}` : target.kind === 'domain' ? `domain#${DOMAIN}` : 'system#all'

function key({ user, target, role }: Grant): Key {
  return { pk: `grants#${user}`, sk: `${textOf(target)}#${role}` }
}

export function grantItem(grant: Grant): Item {
  const { pk, sk } = key(grant)
  return {
    pk,
    sk,
    version: 1,
    value: grant,
    by: {
      all: { pk: 'grants', sk: `${pk}#${sk}` },
      owner: { pk: `grants-on#${textOf(grant.target)}`, sk: `${pk}#${sk}` },
    },
  }
}

/** Void where its holder or its project went meanwhile: what is left of a grant to nobody nobody could take back. */
export async function addGrant(table: Table, grant: Grant): Promise<void> {
  const { user, group, target } = grant
  const checks = [
    presence(group ? 'group' : 'user', user),
    ...(target.kind === 'project' ? [presence('project', target.id)] : []),
  ]
  await table.write([{ put: grantItem(grant) }, ...checks]).catch((error: unknown) => {
    throw error instanceof ConflictError
      ? new UserError(409, `What role ${grant.role} is for is being deleted.`)
      : error
  })
}

export async function hasGrant(table: Table, grant: Grant): Promise<boolean> {
  return (await table.get(key(grant))) !== undefined
}

export function deleteGrants(table: Table, grants: readonly Grant[]): Promise<void> {
  return inBatches(
    table,
    grants.map((grant) => ({ delete: key(grant) })),
  )
}

/** As it is now, for what depends on it. */
export function grantsOf(table: Table, user: string, on?: Target): Promise<Grant[]> {
  return all<Grant>(table, { pk: `grants#${user}`, ...(on ? { prefix: `${textOf(on)}#` } : {}) })
}

export function grantsOn(table: Table, target: Target): Promise<Grant[]> {
  return all<Grant>(table, { index: 'owner', pk: `grants-on#${textOf(target)}` })
}

export function allGrants(table: Table): Promise<Grant[]> {
  return all<Grant>(table, { index: 'all', pk: 'grants' })
}

const BATCH = 100

async function inBatches(table: Table, writes: Write[]): Promise<void> {
  for (let at = 0; at < writes.length; at += BATCH) await table.write(writes.slice(at, at + BATCH))
}
