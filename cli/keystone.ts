import { UsageError } from './usage.ts'

/** Where the API knows its callers by tokens (it says so with a 401), a user name and a password are first exchanged for one. */

export interface Login {
  endpoint: string
  username: string
  password: string
  /** Its name; undefined: the system as a whole. */
  project: string | undefined
}

const LOGIN_MS = 30_000

export function withTokens(send: typeof fetch, login: Login): typeof fetch {
  let token: Promise<string> | undefined
  return async (input, init) => {
    const known = token && (await token)
    const reply = await send(input, known === undefined ? init : bearing(init, known))
    if (reply.status !== 401 || !/^keystone/i.test(reply.headers.get('www-authenticate') ?? '')) return reply
    await reply.body?.cancel()
    token = tokenFor(send, login)
    return send(input, bearing(init, await token))
  }
}

function bearing(init: RequestInit | undefined, token: string): RequestInit {
  const headers = new Headers(init?.headers)
  headers.delete('authorization')
  headers.set('x-auth-token', token)
  return { ...init, headers }
}

/** Identity API v3, "Password authentication with scoped authorization". */
async function tokenFor(send: typeof fetch, { endpoint, username, password, project }: Login): Promise<string> {
  const domain = { id: 'default' }
  const identity = { methods: ['password'], password: { user: { name: username, domain, password } } }
  const scope = project === undefined ? { system: { all: true } } : { project: { name: project, domain } }
  const reply = await send(`${endpoint.replace(/\/+$/, '')}/identity/v3/auth/tokens`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ auth: { identity, scope } }),
    signal: AbortSignal.timeout(LOGIN_MS),
  })
  await reply.body?.cancel()
  const token = reply.headers.get('x-subject-token')
  if (reply.status === 201 && token !== null) return token
  const where = project === undefined ? 'the system (for a project, set BLOOMERY_PROJECT)' : `project ${project}`
  const remedy = reply.status === 401 ? ': is the password right, and has the user a role there?' : ''
  throw new UsageError(
    `${username} could not log in to ${where}: the identity service answered ${reply.status}${remedy}`,
  )
}
