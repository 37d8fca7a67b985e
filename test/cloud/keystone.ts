import { type Client, createClient } from '../../contract/api/client.ts'
import { bootstrap } from '../../lambdas/identity/bootstrap.ts'
import { type ControlPlane, openControlPlane, PUBLIC } from './control-plane.ts'

/** A control plane whose callers are known by our identity service, and people who log in to it. */

export const SYSTEM = { system: { all: true } } as const
export const ADMIN_PASSWORD = 'first of all'
/** How its callers are known. */
export const AUTH = {
  strategy: 'keystone',
  signingKey: Buffer.alloc(32, 1).toString('base64url'),
  tokenSeconds: 3600,
} as const
const domain = { id: 'default' }

export interface Reply {
  status: number
  headers: Headers
  body: any // oxlint-disable-line typescript/no-explicit-any -- what a stranger's program would get
}
export interface KeystoneCloud extends AsyncDisposable {
  cloud: ControlPlane
  /** Under /identity/v3. */
  identity(method: string, path: string, options?: { token?: string; subject?: string; body?: unknown }): Promise<Reply>
  /** A token; rejects with the status. */
  login(user: string, password: string, scope?: unknown): Promise<string>
  authenticate(auth: unknown): Promise<Reply>
  baremetal(method: string, path: string, token: string | undefined, body?: unknown): Promise<Reply>
  client(token: string): Client
  /** Makes a user with a role in a project (which is made, too, if need be) and logs them in there. */
  member(project: string, role: string): Promise<{ token: string; project: string; user: string; name: string }>
  /** Of the first administrator, for the system. */
  admin(): Promise<string>
}

export async function openKeystone(): Promise<KeystoneCloud> {
  const cloud = await openControlPlane(AUTH)
  await bootstrap(cloud.platform, ADMIN_PASSWORD)

  const call = async (path: string, method: string, headers: Record<string, string>, body: unknown): Promise<Reply> => {
    const reply = await cloud.request(path, {
      method,
      headers,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const text = await reply.text()
    return { status: reply.status, headers: reply.headers, body: text === '' ? undefined : JSON.parse(text) }
  }
  const identity: KeystoneCloud['identity'] = (method, path, { token, subject, body } = {}) =>
    call(
      `/identity/v3${path}`,
      method,
      {
        ...(token === undefined ? {} : { 'x-auth-token': token }),
        ...(subject === undefined ? {} : { 'x-subject-token': subject }),
      },
      body,
    )
  const authenticate = (auth: unknown) => identity('POST', '/auth/tokens', { body: { auth } })
  const login = async (name: string, password: string, scope?: unknown): Promise<string> => {
    const reply = await authenticate({
      identity: { methods: ['password'], password: { user: { name, domain, password } } },
      ...(scope === undefined ? {} : { scope }),
    })
    if (reply.status !== 201) throw new Error(`login of ${name}: ${reply.status} ${JSON.stringify(reply.body)}`)
    return reply.headers.get('x-subject-token') ?? ''
  }
  const admin = () => login('admin', ADMIN_PASSWORD, SYSTEM)
  let people = 0
  const member: KeystoneCloud['member'] = async (name, role) => {
    const token = await admin()
    const found = (await identity('GET', `/projects?name=${name}`, { token })).body.projects[0]
    const made = found ?? (await identity('POST', '/projects', { token, body: { project: { name } } })).body.project
    people += 1
    const person = { name: `person-${people}`, password: 'secret' }
    const { user } = (await identity('POST', '/users', { token, body: { user: person } })).body
    const [granted] = (await identity('GET', `/roles?name=${role}`, { token })).body.roles
    await identity('PUT', `/projects/${made.id}/users/${user.id}/roles/${granted.id}`, { token })
    const scoped = await login(person.name, person.password, { project: { id: made.id } })
    return { token: scoped, project: made.id, user: user.id, name: person.name }
  }
  return {
    cloud,
    identity,
    authenticate,
    login,
    admin,
    member,
    baremetal: (method, path, token, body) =>
      call(
        path,
        method,
        { 'x-openstack-ironic-api-version': '1.82', ...(token === undefined ? {} : { 'x-auth-token': token }) },
        body,
      ),
    client: (token) =>
      createClient({
        endpoint: PUBLIC,
        fetch: ((url: string, init: RequestInit) =>
          cloud.request(url.slice(PUBLIC.length), {
            ...init,
            headers: { ...(init.headers as object), 'x-auth-token': token },
          })) as typeof fetch,
      }),
    [Symbol.asyncDispose]: () => cloud[Symbol.asyncDispose](),
  }
}
