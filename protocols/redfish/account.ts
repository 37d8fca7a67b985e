import type { Redfish } from './client.ts'
import { members, required } from './collection.ts'
import { NotOffered } from './error.ts'
import { textAt } from './json.ts'

/** Sets a user's password. Whoever changes their own logs in anew afterwards, to know that the new one works. */
export async function changePassword(bmc: Redfish, username: string, password: string): Promise<void> {
  const operation = `change password of ${JSON.stringify(username)}`
  const service = await bmc.get(required(bmc, bmc.root, ['AccountService'], operation), operation)
  const accounts = await members(bmc, required(bmc, service, ['Accounts'], operation), operation)
  const account = accounts.find(({ body }) => textAt(body, 'UserName') === username)
  if (!account) throw new NotOffered(bmc.subject(operation), 'the BMC has no such account; check the user name')
  // Expanded members may come without their ETag.
  await bmc.change(await bmc.get(account.path, operation), { Password: password }, { operation, secrets: [password] })
}
