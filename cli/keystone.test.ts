import { describe, expect, it } from 'vitest'
import { withTokens } from './keystone.ts'

interface Sent {
  url: string
  token: string | null
  authorization: string | null
  body: string | undefined
}

/** An API that takes the token it gave last, and says 401 to all else. */
function service(password: string) {
  const sent: Sent[] = []
  let issued = 0
  const send = (async (url: string, init: RequestInit) => {
    const headers = new Headers(init.headers)
    const [token, authorization] = [headers.get('x-auth-token'), headers.get('authorization')]
    sent.push({ url, token, authorization, body: init.body as string | undefined })
    if (url.endsWith('/auth/tokens')) {
      if (JSON.parse(init.body as string).auth.identity.password.user.password !== password)
        return new Response('', { status: 401 })
      issued += 1
      return new Response('{}', { status: 201, headers: { 'x-subject-token': `t${issued}` } })
    }
    if (token === `t${issued}`) return new Response('done')
    return new Response('', { status: 401, headers: { 'www-authenticate': 'Keystone uri="http://c/identity"' } })
  }) as typeof fetch
  return { sent, send, expire: () => (issued += 1) }
}
const login = { endpoint: 'http://c/', username: 'ada', password: 'x', project: undefined }
const request: RequestInit = { method: 'PUT', body: 'b', headers: { authorization: 'Basic abc' } }

describe('with tokens', () => {
  it('a first request logs in and is sent again, later ones bear the token', async () => {
    const { sent, send } = service('x')
    const call = withTokens(send, login)
    expect(await (await call('http://c/v1/nodes', request)).text()).toBe('done')
    await call('http://c/v1/ports', request)
    expect(sent.map(({ url, token }) => [url, token])).toEqual([
      ['http://c/v1/nodes', null],
      ['http://c/identity/v3/auth/tokens', null],
      ['http://c/v1/nodes', 't1'],
      ['http://c/v1/ports', 't1'],
    ])
    expect(sent.at(-1)).toMatchObject({ body: 'b', authorization: null })
    expect(JSON.parse(sent[1]?.body ?? '').auth.scope).toEqual({ system: { all: true } })
  })

  it('a token that is over is replaced', async () => {
    const { send, expire } = service('x')
    const call = withTokens(send, { ...login, project: 'p' })
    await call('http://c/v1/nodes', request)
    expire()
    expect((await call('http://c/v1/nodes', request)).status).toBe(200)
  })

  it('a wrong password is told with the user, without the password', async () => {
    const call = withTokens(service('y').send, login)
    await expect(call('http://c/v1/nodes', request)).rejects.toThrow(
      /^ada could not log in to the system .*401: is the password right/,
    )
  })

  it('a 401 that is not of tokens is left as it is', async () => {
    const basic = (async () =>
      new Response('no', { status: 401, headers: { 'www-authenticate': 'Basic' } })) as typeof fetch
    expect((await withTokens(basic, login)('http://c/v1/nodes', request)).status).toBe(401)
  })
})
