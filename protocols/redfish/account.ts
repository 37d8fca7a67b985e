import type { Redfish, Resource } from './client.ts'
import { members, required } from './collection.ts'
import { NotOffered } from './error.ts'
import { booleanAt, textAt } from './json.ts'

/** Sets a user's password. Whoever changes their own logs in anew afterwards, to know that the new one works. */
export async function changePassword(bmc: Redfish, username: string, password: string): Promise<void> {
  const operation = `change password of ${JSON.stringify(username)}`
  const accounts = await accountsOf(bmc, operation)
  const account = accounts.find(({ body }) => textAt(body, 'UserName') === username)
  if (!account) throw new NotOffered(bmc.subject(operation), 'the BMC has no such account; check the user name')
  // Expanded members may come without their ETag.
  await bmc.change(await bmc.get(account.path, operation), { Password: password }, { operation, secrets: [password] })
}

/** Names of all that can log in; some BMCs have slots without a user. */
export async function listUsers(bmc: Redfish): Promise<string[]> {
  const accounts = await accountsOf(bmc, 'list users')
  return accounts.flatMap(({ body }) => {
    const name = textAt(body, 'UserName')
    return name === undefined || name === '' || booleanAt(body, 'Enabled') === false ? [] : [name]
  })
}

async function accountsOf(bmc: Redfish, operation: string): Promise<Resource[]> {
  const service = await bmc.get(required(bmc, bmc.root, ['AccountService'], operation), operation)
  return members(bmc, required(bmc, service, ['Accounts'], operation), operation)
}
