import { booleanAt, type JsonObject, textAt } from '../json.ts'
import { Refusal } from './machine.ts'
import { collection, ref, type Route } from './route.ts'
import type { State, User } from './state.ts'

const SERVICE = '/redfish/v1/AccountService'
const LEAST_PASSWORD = 8
/** Of an iDRAC, which makes no accounts: they are there, and filled. */
const DELL_SLOTS = 16
const roles = ['Administrator', 'Operator', 'ReadOnly', 'None'] as const

export function accountRoutes(state: State): Route[] {
  const accounts = `${SERVICE}/Accounts`
  const hasSlots = state.dialect.name === 'dell'
  const count = (): number => Math.max(state.users.length, hasSlots ? DELL_SLOTS : 0)
  const find = (id: string | undefined): User | undefined => {
    const at = Number(id) - 1
    if (!Number.isInteger(at) || at < 0 || at >= count()) throw new Refusal(404, 'ResourceMissingAtURI', [id ?? ''])
    return state.users[at]
  }
  const make = (body: JsonObject): void => {
    const [name, password] = [textAt(body, 'UserName') ?? '', textAt(body, 'Password')]
    if (name === '' || password === undefined) throw new Refusal(400, 'PropertyMissing', ['UserName', 'Password'])
    if (state.users.some((each) => each.name === name)) throw new Refusal(409, 'ResourceAlreadyExists')
    const user = { name, password: '', role: 'None' as const }
    change(user, body)
    state.users.push(user)
  }
  return [
    {
      path: SERVICE,
      get: () => ({
        '@odata.type': '#AccountService.v1_11_0.AccountService',
        Id: 'AccountService',
        Name: 'Accounts',
        MinPasswordLength: LEAST_PASSWORD,
        Accounts: ref(accounts),
      }),
    },
    {
      path: accounts,
      get: () =>
        collection(
          'ManagerAccountCollection',
          'Accounts',
          Array.from({ length: count() }, (_, index) => `${accounts}/${index + 1}`),
        ),
      ...(hasSlots
        ? {}
        : {
            post: ({ body }: { body: JsonObject }) => {
              make(body)
              return { status: 201, headers: { location: `${accounts}/${state.users.length}` } }
            },
          }),
    },
    {
      path: `${accounts}/:id`,
      get: ({ at }) => {
        const user = find(at['id'])
        return {
          '@odata.type': '#ManagerAccount.v1_8_1.ManagerAccount',
          Id: at['id'],
          Name: 'Account',
          UserName: user?.name ?? '',
          Password: null,
          Enabled: user !== undefined && user.enabled !== false,
          RoleId: user ? (user.role ?? 'Administrator') : 'None',
        }
      },
      patch: ({ at, body }) => {
        const user = find(at['id'])
        if (user) change(user, body)
        else make(body)
      },
    },
  ]
}

/** All of it or, where some is wrong, nothing. */
function change(user: User, body: JsonObject): void {
  const [password, role, enabled] = [textAt(body, 'Password'), textAt(body, 'RoleId'), booleanAt(body, 'Enabled')]
  // As BMCs do, it quotes what it refuses.
  if (password !== undefined && password.length < LEAST_PASSWORD)
    throw new Refusal(400, 'PropertyValueFormatError', [password, 'Password'])
  const known = roles.find((each) => each === role)
  if (role !== undefined && known === undefined) throw new Refusal(400, 'PropertyValueNotInList', [role, 'RoleId'])
  if (password === undefined && role === undefined && enabled === undefined)
    throw new Refusal(400, 'PropertyMissing', ['Password'])
  if (password !== undefined) user.password = password
  if (known !== undefined) user.role = known
  if (enabled !== undefined) user.enabled = enabled
}
