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

export interface Account {
  name: string
  enabled: boolean | undefined
  /** DSP2046's: Administrator, Operator, ReadOnly, None; or a vendor's own. */
  role: string | undefined
}

export async function readAccounts(bmc: Redfish): Promise<Account[]> {
  const accounts = await accountsOf(bmc, 'list users')
  return accounts.flatMap(({ body }) => {
    const name = textAt(body, 'UserName')
    if (name === undefined || name === '') return []
    return [{ name, enabled: booleanAt(body, 'Enabled'), role: textAt(body, 'RoleId') }]
  })
}

export interface AccountChange {
  name: string
  password?: string | undefined
  role?: string | undefined
  enabled?: boolean | undefined
}

/** Changes the account of this name; one that isn't there is made, and needs a password and a role. */
export async function putAccount(bmc: Redfish, { name, password, role, enabled }: AccountChange): Promise<void> {
  const operation = `set user ${JSON.stringify(name)}`
  const secrets = password === undefined ? [] : [password]
  const body = {
    ...(password === undefined ? {} : { Password: password }),
    ...(role === undefined ? {} : { RoleId: role }),
    ...(enabled === undefined ? {} : { Enabled: enabled }),
  }
  const accounts = await accountsOf(bmc, operation)
  const known = accounts.find((account) => textAt(account.body, 'UserName') === name)
  if (known) return void (await bmc.change(await bmc.get(known.path, operation), body, { operation, secrets }))
  if (password === undefined || role === undefined)
    throw new NotOffered(bmc.subject(operation), 'the BMC has no such user; a new one needs a password and a role')
  const fresh = { UserName: name, Enabled: true, ...body }
  // BMCs with a fixed number of slots (iDRAC) make no accounts: the first without a user is filled. The rest have none.
  const slot = accounts.find((account) => textAt(account.body, 'UserName') === undefined && !isFirst(account))
  if (slot) return void (await bmc.change(await bmc.get(slot.path, operation), fresh, { operation, secrets }))
  await bmc.send({ method: 'POST', path: await collectionOf(bmc, operation), body: fresh }, { operation, secrets })
}

/** The slot of an iDRAC that stands for nobody, and can't be filled. */
function isFirst({ path }: Resource): boolean {
  return path.replace(/\/$/, '').split('/').at(-1) === '1'
}

/** Names of all that can log in; some BMCs have slots without a user. */
export async function listUsers(bmc: Redfish): Promise<string[]> {
  const accounts = await readAccounts(bmc)
  return accounts.filter(({ enabled }) => enabled !== false).map(({ name }) => name)
}

async function accountsOf(bmc: Redfish, operation: string): Promise<Resource[]> {
  return members(bmc, await collectionOf(bmc, operation), operation)
}

async function collectionOf(bmc: Redfish, operation: string): Promise<string> {
  const service = await bmc.get(required(bmc, bmc.root, ['AccountService'], operation), operation)
  return required(bmc, service, ['Accounts'], operation)
}
