import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { createApi } from '../../lambdas/app.ts'
import { readAuthentication } from '../../lambdas/aws/authentication.ts'
import { type ControlPlane, openControlPlane } from './control-plane.ts'
import { startSecrets } from './secrets.ts'

let cloud: ControlPlane
let secrets: Awaited<ReturnType<typeof startSecrets>>

beforeEach(async () => {
  cloud = await openControlPlane()
  secrets = await startSecrets({ key: 'k'.repeat(64), admin: 'first-password', users: '# none\n', short: 'k' })
  vi.stubEnv('AWS_ENDPOINT_URL_SECRETS_MANAGER', secrets.endpoint)
  vi.stubEnv('AWS_REGION', 'eu-central-1')
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'test')
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'test')
})
afterEach(async () => {
  vi.unstubAllEnvs()
  await secrets.stop()
  await cloud[Symbol.asyncDispose]()
})

it('with a key of tokens, callers are known by the identity service, whose first administrator exists from then on', async () => {
  const variables = { TOKEN_KEY: 'key', ADMIN: 'admin' }
  const auth = await readAuthentication(cloud.platform, variables)
  expect(await readAuthentication(cloud.platform, variables)).toEqual(auth)
  const api = createApi(cloud.platform, { publicEndpoint: null, auth })
  const password = { user: { name: 'admin', domain: { id: 'default' }, password: 'first-password' } }
  const body = { auth: { identity: { methods: ['password'], password }, scope: { system: { all: true } } } }
  const login = await api.request('/identity/v3/auth/tokens', { method: 'POST', body: JSON.stringify(body) })
  expect(login.status).toBe(201)
  const token = login.headers.get('x-subject-token') ?? ''
  expect((await api.request('/v1/nodes', { headers: { 'x-auth-token': token } })).status).toBe(200)
  expect(JSON.stringify(cloud.logged)).not.toMatch(/first-password|kkkk/)
})

it('without one, by htpasswd lines', async () => {
  expect(await readAuthentication(cloud.platform, { USERS: 'users' })).toEqual({
    strategy: 'http_basic',
    htpasswd: '# none\n',
  })
})

it('a key that is too short, or a secret that is missing, stops it', async () => {
  await expect(readAuthentication(cloud.platform, { TOKEN_KEY: 'short', ADMIN: 'admin' })).rejects.toThrow(
    /at least 32 bytes/,
  )
  await expect(readAuthentication(cloud.platform, { TOKEN_KEY: 'key' })).rejects.toThrow(/ADMIN/)
})
