import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { bootstrap } from '../../lambdas/identity/bootstrap.ts'
import { ADMIN_PASSWORD, type KeystoneCloud, openKeystone, SYSTEM } from './keystone.ts'

let stone: KeystoneCloud
beforeEach(async () => (stone = await openKeystone()))
afterEach(() => stone[Symbol.asyncDispose]())

const password = (name: string, secret: string) => ({
  methods: ['password'],
  password: { user: { name, domain: { name: 'Default' }, password: secret } },
})
const isGood = async (token: string) => (await stone.baremetal('GET', '/v1/nodes', token)).status === 200

describe('a login', () => {
  it('gives a token for the scope that was asked for, with roles and catalogue', async () => {
    const { status, headers, body } = await stone.authenticate({
      identity: password('admin', ADMIN_PASSWORD),
      scope: SYSTEM,
    })
    expect(status).toBe(201)
    expect(headers.get('x-subject-token')).toMatch(/^v1\./)
    expect(body.token).toMatchObject({
      methods: ['password'],
      system: { all: true },
      expires_at: '2026-11-23T11:00:00.000000Z',
    })
    expect(body.token.roles.map((role: { name: string }) => role.name)).toEqual([
      'admin',
      'manager',
      'member',
      'reader',
    ])
    const baremetal = body.token.catalog.find((service: { type: string }) => service.type === 'baremetal')
    expect(baremetal.endpoints[0]).toMatchObject({
      interface: 'public',
      region_id: 'RegionOne',
      url: 'http://cloud.test',
    })
    expect(JSON.stringify(body)).not.toContain(headers.get('x-subject-token'))
  })

  it('scopes to a project by name, to the domain with a role on it only, and to nothing when asked', async () => {
    const login = (scope?: unknown) => stone.authenticate({ identity: password('admin', ADMIN_PASSWORD), scope })
    const project = { name: 'admin', domain: { id: 'default' } }
    expect((await login({ project })).body.token).toMatchObject({ project: { name: 'admin' } })
    expect((await login({ domain: { id: 'default' } })).status).toBe(401)
    for (const none of [undefined, 'unscoped', { unscoped: {} }]) {
      const { token } = (await login(none)).body
      expect(token).not.toHaveProperty('roles')
      expect(token).not.toHaveProperty('catalog')
    }
  })

  it('falls back to no scope where a default project has no role for the user', async () => {
    const token = await stone.admin()
    const { project } = (await stone.identity('POST', '/projects', { token, body: { project: { name: 'p' } } })).body
    const user = { name: 'ada', password: 'x', default_project_id: project.id }
    await stone.identity('POST', '/users', { token, body: { user } })
    expect((await stone.authenticate({ identity: password('ada', 'x') })).body.token).not.toHaveProperty('project')
  })

  it.each([
    ['a wrong password', password('admin', 'x')],
    ['an unknown user', password('nobody', ADMIN_PASSWORD)],
    ['a method without its part', { methods: ['token'] }],
    [
      'a second method that fails',
      { ...password('admin', ADMIN_PASSWORD), methods: ['password', 'token'], token: { id: 'x' } },
    ],
    ['a forged token', { methods: ['token'], token: { id: 'v1.e30.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA' } }],
  ])('with %s is refused in words that tell nothing', async (_what, identity) => {
    const { status, headers, body } = await stone.authenticate({ identity })
    expect(status).toBe(401)
    expect(headers.get('www-authenticate')).toBe('Keystone uri="http://cloud.test/identity"')
    expect(body).toEqual({
      error: { code: 401, title: 'Unauthorized', message: 'The request you have made requires authentication.' },
    })
  })

  it('that is malformed is told what is wrong', async () => {
    const { status, body } = await stone.identity('POST', '/auth/tokens', {
      body: { auth: { identity: { methods: ['magic'] } } },
    })
    expect(status).toBe(400)
    expect(body.error).toMatchObject({ code: 400, message: expect.stringContaining('auth.identity.methods') })
  })

  it('is not even tried for a while after many failures, and then again', async () => {
    for (let guess = 0; guess < 5; guess += 1)
      await stone.authenticate({ identity: password('admin', `guess ${guess}`) })
    await expect(stone.admin()).rejects.toThrow('401')
    stone.cloud.pass(2)
    expect(await isGood(await stone.admin())).toBe(true)
    expect(JSON.stringify(stone.cloud.logged)).not.toMatch(/guess|first of all/)
  })
})

describe('a token', () => {
  it('is good until its time is over', async () => {
    const token = await stone.admin()
    stone.cloud.pass(3599)
    expect(await isGood(token)).toBe(true)
    stone.cloud.pass(1)
    expect(await isGood(token)).toBe(false)
  })

  it('got by a token is over when that one is, and says that it was', async () => {
    const token = await stone.login('admin', ADMIN_PASSWORD)
    stone.cloud.pass(1800)
    const { body } = await stone.authenticate({ identity: { methods: ['token'], token: { id: token } }, scope: SYSTEM })
    expect(body.token).toMatchObject({ methods: ['password', 'token'], expires_at: '2026-11-23T11:00:00.000000Z' })
    expect(body.token.audit_ids).toHaveLength(2)
  })

  it('can be looked at and revoked; then it is good for nothing', async () => {
    const token = await stone.admin()
    const other = await stone.admin()
    expect((await stone.identity('GET', '/auth/tokens', { token, subject: token })).body.token.user.name).toBe('admin')
    expect((await stone.identity('HEAD', '/auth/tokens', { token, subject: token })).status).toBe(200)
    expect((await stone.identity('DELETE', '/auth/tokens', { token: other, subject: token })).status).toBe(204)
    expect(await isGood(token)).toBe(false)
    expect((await stone.identity('GET', '/auth/tokens', { token: other, subject: token })).status).toBe(404)
    expect((await stone.authenticate({ identity: { methods: ['token'], token: { id: token } } })).status).toBe(401)
    expect(await isGood(other)).toBe(true)
  })

  it('of others is no business of a plain user', async () => {
    const { token } = await stone.member('p', 'admin')
    const subject = await stone.admin()
    for (const method of ['GET', 'DELETE'])
      expect((await stone.identity(method, '/auth/tokens', { token, subject })).status).toBe(403)
    expect(await isGood(subject)).toBe(true)
  })

  it('ends with what it stands on: role, project, user, password', async () => {
    const admin = await stone.admin()
    const ends = [
      (user: string, project: string, role: string) =>
        stone.identity('DELETE', `/projects/${project}/users/${user}/roles/${role}`, { token: admin }),
      (_user: string, project: string) =>
        stone.identity('PATCH', `/projects/${project}`, { token: admin, body: { project: { enabled: false } } }),
      (user: string) => stone.identity('PATCH', `/users/${user}`, { token: admin, body: { user: { enabled: false } } }),
      (user: string) => stone.identity('DELETE', `/users/${user}`, { token: admin }),
      (user: string) =>
        stone.identity('POST', `/users/${user}/password`, {
          body: { user: { original_password: 'secret', password: 'new' } },
        }),
    ]
    const [role] = (await stone.identity('GET', '/roles?name=reader', { token: admin })).body.roles
    for (const [at, end] of ends.entries()) {
      const { token, user, project } = await stone.member(`p${at}`, 'reader')
      expect(await isGood(token), `${at}`).toBe(true)
      stone.cloud.pass(1)
      expect((await end(user, project, role.id)).status, `${at}`).toBeLessThan(300)
      expect(await isGood(token), `${at}`).toBe(false)
    }
  })
})

describe('an application credential', () => {
  const create = async (more: Record<string, unknown> = {}) => {
    const person = await stone.member('p', 'member')
    const body = { application_credential: { name: 'robot', ...more } }
    const path = `/users/${person.user}/application_credentials`
    const made = await stone.identity('POST', path, { token: person.token, body })
    return { ...person, path, made: made.body.application_credential, status: made.status }
  }
  const login = (id: string, secret: string, scope?: unknown) =>
    stone.authenticate({
      identity: { methods: ['application_credential'], application_credential: { id, secret } },
      scope,
    })

  it('logs in by id or by name, into its project and no other scope', async () => {
    const { made, name, project } = await create()
    const { body, headers } = await login(made.id, made.secret)
    expect(body.token).toMatchObject({ project: { id: project }, application_credential: { restricted: true } })
    expect(await isGood(headers.get('x-subject-token') ?? '')).toBe(true)
    const byName = { name: 'robot', secret: made.secret, user: { name, domain: { id: 'default' } } }
    const identity = { methods: ['application_credential'], application_credential: byName }
    expect((await stone.authenticate({ identity })).status).toBe(201)
    expect((await login(made.id, made.secret, SYSTEM)).status).toBe(401)
    expect((await login(made.id, 'wrong')).status).toBe(401)
  })

  it('never tells its secret again', async () => {
    const { made, path, token } = await create()
    const listed = (await stone.identity('GET', path, { token })).body
    expect(listed.application_credentials).toMatchObject([{ id: made.id, name: 'robot' }])
    expect(JSON.stringify(listed)).not.toMatch(/secret/)
    expect(JSON.stringify(stone.cloud.logged)).not.toContain(made.secret)
  })

  it('can be given fewer roles, never more', async () => {
    const { made } = await create({ roles: [{ name: 'reader' }] })
    expect((await login(made.id, made.secret)).body.token.roles).toMatchObject([{ name: 'reader' }])
    expect((await create({ roles: [{ name: 'admin' }] })).status).toBe(400)
  })

  it('ends at its time, when deleted, and when its user loses the role', async () => {
    const { made, path, token, user, project } = await create({ expires_at: '2026-11-23T10:30:00' })
    const robot = (await login(made.id, made.secret)).headers.get('x-subject-token') ?? ''
    stone.cloud.pass(1801)
    expect(await isGood(robot)).toBe(false)
    expect((await login(made.id, made.secret)).status).toBe(401)
    expect((await stone.identity('DELETE', `${path}/${made.id}`, { token })).status).toBe(204)
    const next = (await stone.identity('POST', path, { token, body: { application_credential: { name: 'next' } } }))
      .body
    const { id, secret } = next.application_credential
    expect((await login(id, secret)).status).toBe(201)
    const admin = await stone.admin()
    const [role] = (await stone.identity('GET', '/roles?name=member', { token: admin })).body.roles
    await stone.identity('DELETE', `/projects/${project}/users/${user}/roles/${role.id}`, { token: admin })
    expect((await login(id, secret)).status).toBe(401)
  })

  it('that is restricted makes no others, nor can anybody make one for somebody else', async () => {
    const { made, path } = await create()
    const robot = (await login(made.id, made.secret)).headers.get('x-subject-token') ?? ''
    const body = { application_credential: { name: 'child' } }
    expect((await stone.identity('POST', path, { token: robot, body })).status).toBe(403)
    expect((await stone.identity('DELETE', `${path}/${made.id}`, { token: robot })).status).toBe(403)
    expect((await stone.identity('POST', path, { token: await stone.admin(), body })).status).toBe(403)
  })
})

describe('people, projects and roles', () => {
  it('are kept by administrators of the system; those of a project can not make themselves one', async () => {
    const { token, user } = await stone.member('p', 'admin')
    const admin = await stone.admin()
    const [role] = (await stone.identity('GET', '/roles?name=admin', { token: admin })).body.roles
    const refused = [
      stone.identity('POST', '/users', { token, body: { user: { name: 'x' } } }),
      stone.identity('PATCH', `/users/${user}`, { token, body: { user: { password: 'x' } } }),
      stone.identity('PUT', `/system/users/${user}/roles/${role.id}`, { token }),
      stone.identity('POST', '/projects', { token, body: { project: { name: 'q' } } }),
      stone.identity('GET', '/users', { token }),
      stone.identity('GET', '/role_assignments', { token }),
    ]
    for (const { status } of await Promise.all(refused)) expect(status).toBe(403)
    expect((await stone.identity('GET', `/users/${user}`, { token })).status).toBe(200)
    expect((await stone.identity('GET', '/auth/projects', { token })).body.projects).toMatchObject([{ name: 'p' }])
    expect((await stone.identity('GET', '/users')).status).toBe(401)
  })

  it('have names of their own', async () => {
    const token = await stone.admin()
    const make = (path: string, body: unknown) => stone.identity('POST', path, { token, body })
    for (const path of ['user', 'project', 'role']) {
      const made = await make(`/${path}s`, { [path]: { name: 'same' } })
      expect(made.status).toBe(201)
      expect((await make(`/${path}s`, { [path]: { name: 'same' } })).status).toBe(409)
      const { id } = made.body[path]
      const renamed = await stone.identity('PATCH', `/${path}s/${id}`, { token, body: { [path]: { name: 'other' } } })
      expect(renamed.body[path]).toMatchObject({ id, name: 'other' })
      expect((await make(`/${path}s`, { [path]: { name: 'same' } })).status).toBe(201)
      expect((await stone.identity('DELETE', `/${path}s/${id}`, { token })).status).toBe(204)
      expect((await stone.identity('GET', `/${path}s/${id}`, { token })).status).toBe(404)
    }
  })

  it('leave nothing behind when they go', async () => {
    const { user, project } = await stone.member('p', 'member')
    const token = await stone.admin()
    const grants = async () =>
      (await stone.identity('GET', '/role_assignments', { token })).body.role_assignments.length
    expect(await grants()).toBe(3)
    await stone.identity('DELETE', `/projects/${project}`, { token })
    expect(await grants()).toBe(2)
    expect((await stone.identity('GET', `/users/${user}/projects`, { token })).body.projects).toEqual([])
  })

  it('are granted roles, checked and listed', async () => {
    const { user, project } = await stone.member('p', 'member')
    const token = await stone.admin()
    const [role] = (await stone.identity('GET', '/roles?name=reader', { token })).body.roles
    for (const place of [`projects/${project}`, 'domains/default', 'system']) {
      const path = `/${place}/users/${user}/roles/${role.id}`
      expect((await stone.identity('HEAD', path, { token })).status).toBe(404)
      expect((await stone.identity('PUT', path, { token })).status).toBe(204)
      expect((await stone.identity('HEAD', path, { token })).status).toBe(204)
    }
    const query = `/role_assignments?user.id=${user}&include_names=True`
    const { role_assignments: all } = (await stone.identity('GET', query, { token })).body
    expect(all).toHaveLength(4)
    expect(all).toContainEqual(
      expect.objectContaining({ scope: { system: { all: true } }, role: { id: role.id, name: 'reader' } }),
    )
    expect((await stone.identity('GET', `${query}&effective`, { token })).body.role_assignments).toHaveLength(5)
  })

  it('standard roles stay', async () => {
    const token = await stone.admin()
    const [role] = (await stone.identity('GET', '/roles?name=admin', { token })).body.roles
    expect((await stone.identity('DELETE', `/roles/${role.id}`, { token })).status).toBe(403)
    expect((await stone.identity('POST', '/roles', { token, body: { role: { name: 'admin' } } })).status).toBe(409)
  })
})

it('the first administrator is made once, whatever the password says later', async () => {
  expect(await bootstrap(stone.cloud.platform, 'another')).toBe(false)
  expect(await isGood(await stone.admin())).toBe(true)
})

it('clients find their way from /identity on', async () => {
  const root = await stone.cloud.request('/identity')
  expect(root.status).toBe(300)
  expect(await root.json()).toMatchObject({ versions: { values: [{ id: 'v3.14', status: 'stable' }] } })
  expect((await stone.identity('GET', '/')).body.version.links).toEqual([
    { rel: 'self', href: 'http://cloud.test/identity/v3/' },
  ])
  expect((await stone.identity('GET', '/nothing')).body.error.code).toBe(404)
})
