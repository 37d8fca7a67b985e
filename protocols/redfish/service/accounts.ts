import { textAt } from '../json.ts'
import { Refusal } from './machine.ts'
import { collection, ref, type Route } from './route.ts'
import type { State, User } from './state.ts'

const SERVICE = '/redfish/v1/AccountService'
const LEAST_PASSWORD = 8

export function accountRoutes(state: State): Route[] {
  const find = (id: string | undefined): User => {
    const user = state.users[Number(id) - 1]
    if (!user) throw new Refusal(404, 'ResourceMissingAtURI', [id ?? ''])
    return user
  }
  return [
    {
      path: SERVICE,
      get: () => ({
        '@odata.type': '#AccountService.v1_11_0.AccountService',
        Id: 'AccountService',
        Name: 'Accounts',
        MinPasswordLength: LEAST_PASSWORD,
        Accounts: ref(`${SERVICE}/Accounts`),
      }),
    },
    {
      path: `${SERVICE}/Accounts`,
      get: () =>
        collection(
          'ManagerAccountCollection',
          'Accounts',
          state.users.map((_, index) => `${SERVICE}/Accounts/${index + 1}`),
        ),
    },
    {
      path: `${SERVICE}/Accounts/:id`,
      get: ({ at }) => {
        const { name, role } = find(at['id'])
        return {
          '@odata.type': '#ManagerAccount.v1_8_1.ManagerAccount',
          Id: at['id'],
          Name: 'Account',
          UserName: name,
          Password: null,
          Enabled: true,
          RoleId: role ?? 'Administrator',
        }
      },
      patch: ({ at, body }) => {
        const password = textAt(body, 'Password') ?? ''
        // As BMCs do, it quotes what it refuses.
        if (password.length < LEAST_PASSWORD) throw new Refusal(400, 'PropertyValueFormatError', [password, 'Password'])
        find(at['id']).password = password
      },
    },
  ]
}
