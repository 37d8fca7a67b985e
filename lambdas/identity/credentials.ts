import { UserError } from '../../contract/api/faults.ts'
import type { ApplicationCredential } from '../../contract/identity.ts'
import { ConflictError, type Key, type Table } from '../platform.ts'
import { all } from '../store/paging.ts'

/** Application credentials in the table: by id, and by user and name. */

const key = (id: string): Key => ({ pk: `credential#${id}`, sk: 'credential' })
const nameKey = (user: string, name: string): Key => ({ pk: `credentials#${user}`, sk: `name#${name}` })

export async function getCredential(table: Table, id: string): Promise<ApplicationCredential | undefined> {
  return (await table.get(key(id)))?.value as ApplicationCredential | undefined
}

export async function credentialNamed(
  table: Table,
  user: string,
  name: string,
): Promise<ApplicationCredential | undefined> {
  const pointer = (await table.get(nameKey(user, name)))?.value as { id: string } | undefined
  return pointer && getCredential(table, pointer.id)
}

export async function credentialsOf(table: Table, user: string): Promise<ApplicationCredential[]> {
  const pointers = await all<{ id: string }>(table, { pk: `credentials#${user}` })
  const found = await Promise.all(pointers.map(({ id }) => getCredential(table, id)))
  return found.filter((each) => each !== undefined)
}

export async function createCredential(table: Table, value: ApplicationCredential): Promise<void> {
  const { id, user_id: user, name } = value
  try {
    await table.write([
      { put: { ...nameKey(user, name), version: 1, value: { id } }, expect: 'absent' },
      { put: { ...key(id), version: 1, value }, expect: 'absent' },
    ])
  } catch (error) {
    if (error instanceof ConflictError)
      throw new UserError(409, `The user already has an application credential with the name ${name}.`)
    throw error
  }
}

export async function deleteCredential(
  table: Table,
  { id, user_id: user, name }: ApplicationCredential,
): Promise<void> {
  await table.write([{ delete: key(id) }, { delete: nameKey(user, name) }])
}
