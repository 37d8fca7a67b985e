import { timingSafeEqual } from 'node:crypto'
import { textAt } from '../json.ts'
import { Refusal } from './machine.ts'
import { collection, done, type Route } from './route.ts'
import { newToken, nextId, type State, type User } from './state.ts'

const SERVICE = '/redfish/v1/SessionService'
const MOST_SESSIONS = 16

/** DSP0266 §13.3.4. */
export function sessionRoutes(state: State): Route[] {
  if (state.dialect.noSessions) return []
  const { sessions } = state
  const view = (id: string) => {
    const session = sessions.get(id)
    if (!session) throw new Refusal(404, 'ResourceMissingAtURI', [id])
    return {
      '@odata.type': '#Session.v1_3_0.Session',
      '@odata.id': `${SERVICE}/Sessions/${id}`,
      Id: id,
      Name: 'User Session',
      Description: 'User Session',
      UserName: session.user,
    }
  }
  return [
    {
      path: SERVICE,
      get: () => ({
        '@odata.type': '#SessionService.v1_1_8.SessionService',
        Id: 'SessionService',
        Name: 'Session Service',
        Description: 'Session Service',
        ServiceEnabled: true,
        SessionTimeout: 1800,
        Sessions: { '@odata.id': `${SERVICE}/Sessions` },
      }),
    },
    {
      path: `${SERVICE}/Sessions`,
      open: ['post'],
      get: () =>
        collection(
          'SessionCollection',
          'Sessions',
          [...sessions.keys()].map((id) => `${SERVICE}/Sessions/${id}`),
        ),
      post: ({ body }) => {
        const user = checkUser(state, textAt(body, 'UserName') ?? '', textAt(body, 'Password') ?? '')
        if (!user) throw new Refusal(401, 'ResourceAtUriUnauthorized', ['Sessions', 'wrong credentials'])
        if (sessions.size >= MOST_SESSIONS) throw new Refusal(503, 'SessionLimitExceeded')
        const id = nextId(state)
        const token = newToken()
        sessions.set(id, { token, user: user.name })
        return {
          status: 201,
          headers: { 'x-auth-token': token, location: `${SERVICE}/Sessions/${id}` },
          body: view(id),
        }
      },
    },
    {
      path: `${SERVICE}/Sessions/:id`,
      get: ({ at }) => view(at['id']!),
      delete: ({ at }) => {
        view(at['id']!)
        sessions.delete(at['id']!)
        return done
      },
    },
  ]
}

/** Who sends this, by token or Basic; undefined is nobody that may. */
export function authenticate(state: State, headers: Readonly<Record<string, unknown>>): User | undefined {
  const token = headers['x-auth-token']
  if (typeof token === 'string') {
    const session = [...state.sessions.values()].find((each) => same(each.token, token))
    return session && state.users.find((user) => user.name === session.user && mayLogIn(user))
  }
  const { authorization } = headers
  const basic = typeof authorization === 'string' ? /^Basic ([A-Za-z0-9+/=]+)$/.exec(authorization)?.[1] : undefined
  if (basic === undefined) return undefined
  const [name = '', ...password] = Buffer.from(basic, 'base64').toString('utf8').split(':')
  return checkUser(state, name, password.join(':'))
}

function checkUser(state: State, name: string, password: string): User | undefined {
  const user = state.users.find((each) => each.name === name)
  return user && mayLogIn(user) && same(user.password, password) ? user : undefined
}

function mayLogIn({ enabled, role }: User): boolean {
  return enabled !== false && role !== 'None'
}

function same(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)]
  return left.length === right.length && timingSafeEqual(left, right)
}
