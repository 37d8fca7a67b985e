import { afterAll, beforeAll, expect, it } from 'vitest'
import { addGrant } from '../../lambdas/identity/grants.ts'
import { issue } from '../../lambdas/identity/issue.ts'
import { addMember } from '../../lambdas/identity/members.ts'
import { createNamed, deleteNamed, findNamed, getNamed, updateNamed } from '../../lambdas/identity/named.ts'
import { standardRole } from '../../lambdas/identity/roles.ts'
import { AUTH, type KeystoneCloud, openKeystone, SYSTEM } from './keystone.ts'

/** What nobody gets by identity, whoever they are and whatever they try at the same moment. */

let stone: KeystoneCloud
type Person = Awaited<ReturnType<KeystoneCloud['member']>>
let ada: Person
let eve: Person
beforeAll(async () => {
  stone = await openKeystone()
  ada = await stone.member('p', 'member')
  eve = await stone.member('q', 'admin')
})
afterAll(() => stone[Symbol.asyncDispose]())

const credentialsOf = ({ user }: Person): string => `/users/${user}/application_credentials`
const credential = async (of: Person, name: string) =>
  (await stone.identity('POST', credentialsOf(of), { token: of.token, body: { application_credential: { name } } }))
    .body.application_credential as { id: string; secret: string }
const byPassword = (name: string) => ({ user: { name, domain: { id: 'default' }, password: 'secret' } })

it('a token that was got by the token of a restricted application credential is as restricted', async () => {
  const { id, secret } = await credential(ada, 'robot')
  const identity = { methods: ['application_credential'], application_credential: { id, secret } }
  const robot = (await stone.authenticate({ identity })).headers.get('x-subject-token') ?? ''
  const byToken = { methods: ['token'], token: { id: robot } }
  expect((await stone.authenticate({ identity: byToken, scope: 'unscoped' })).status).toBe(401)
  const { body, headers } = await stone.authenticate({ identity: byToken })
  expect(body.token).toMatchObject({ application_credential: { id, restricted: true } })
  const token = headers.get('x-subject-token') ?? ''
  const child = { application_credential: { name: 'child' } }
  expect((await stone.identity('POST', credentialsOf(ada), { token, body: child })).status).toBe(403)
  const both = { methods: ['password', 'token'], password: byPassword(ada.name), token: { id: robot } }
  expect((await stone.authenticate({ identity: both })).body.token.application_credential.restricted).toBe(true)
})

it("one's password and another's token are nobody's", async () => {
  const identity = { methods: ['token', 'password'], password: byPassword(eve.name), token: { id: ada.token } }
  expect((await stone.authenticate({ identity })).status).toBe(401)
})

it('a service looks at the tokens that it is shown, and takes none back', async () => {
  const { token } = await stone.member('service', 'service')
  const asked = { token, subject: ada.token }
  expect((await stone.identity('GET', '/auth/tokens', asked)).body.token.user.name).toBe(ada.name)
  expect((await stone.identity('DELETE', '/auth/tokens', asked)).status).toBe(403)
})

it("another's application credential is not found under one's own name", async () => {
  const { id } = await credential(ada, 'hers')
  for (const method of ['GET', 'DELETE'])
    expect((await stone.identity(method, `${credentialsOf(eve)}/${id}`, { token: eve.token })).status).toBe(404)
  expect((await stone.identity('GET', `${credentialsOf(ada)}/${id}`, { token: ada.token })).status).toBe(200)
})

it('of role assignments everybody sees their own, however often and in whatever letters they say whose', async () => {
  const seen = async (query: string) => {
    const { status, body } = await stone.identity('GET', `/role_assignments?${query}`, { token: eve.token })
    return status === 200 ? body.role_assignments.map((each: { user: { id: string } }) => each.user.id) : status
  }
  expect(await seen(`user.id=${eve.user}`)).toEqual([eve.user])
  for (const query of [
    `user.id=${ada.user}`,
    `user%2Eid=${ada.user}&user.id=${eve.user}`,
    `user.id=${ada.user}&user.id=${eve.user}`,
    `user%2Eid=${ada.user}`,
  ])
    expect([query, await seen(query)]).toEqual([query, 403])
})

it('a password that is changed while it is looked at gives no token that outlives the change', async () => {
  const { platform } = stone.cloud
  const { user, name } = await stone.member('p', 'member')
  const change = { user: { original_password: 'secret', password: 'another' } }
  let isChanged = false
  const table: typeof platform.table = {
    query: (query) => platform.table.query(query),
    write: (writes) => platform.table.write(writes),
    async get(key) {
      const found = await platform.table.get(key)
      if (key.pk === `user#${user}` && !isChanged) {
        isChanged = true
        stone.cloud.pass(1)
        expect((await stone.identity('POST', `/users/${user}/password`, { body: change })).status).toBe(204)
        stone.cloud.pass(1)
      }
      return found
    },
  }
  const identity = { methods: ['password' as const], password: byPassword(name) }
  await expect(issue({ ...platform, table, config: AUTH }, { identity })).rejects.toMatchObject({ status: 401 })
  expect(isChanged).toBe(true)
})

it('what goes while it is renamed takes its new name along, and leaves its old one to who has it now', async () => {
  const { table } = stone.cloud.platform
  const named = (id: string, name: string) => {
    return { id: id.repeat(32), name, description: '', created_at: '2026-01-01T00:00:00.000Z', version: 1 }
  }
  const seen = named('a', 'before')
  await createNamed(table, 'group', seen)
  await updateNamed(table, 'group', seen.id, (group) => ({ ...group, name: 'after' }))
  const other = named('b', 'before')
  await createNamed(table, 'group', other)
  await deleteNamed(table, 'group', seen)
  expect(await getNamed(table, 'group', seen.id)).toBeUndefined()
  expect(await findNamed(table, 'group', 'before')).toEqual(other)
  await createNamed(table, 'group', named('c', 'after'))
})

it('nobody who is gone gets a role, by a request that saw them, nor is in a group', async () => {
  const { table } = stone.cloud.platform
  const token = await stone.admin()
  const { user, project } = await stone.member('short-lived', 'reader')
  const { id: group } = (await stone.identity('POST', '/groups', { token, body: { group: { name: 'g' } } })).body.group
  await stone.identity('DELETE', `/projects/${project}`, { token })
  const role = standardRole('member').id
  const grant = { user: ada.user, target: { kind: 'project', id: project }, role } as const
  await expect(addGrant(table, grant)).rejects.toMatchObject({ status: 409 })
  await stone.identity('DELETE', `/users/${user}`, { token })
  await expect(addGrant(table, { user, target: { kind: 'system' }, role })).rejects.toMatchObject({ status: 409 })
  await expect(addMember(table, { user, group })).rejects.toMatchObject({ status: 409 })
  await stone.identity('DELETE', `/groups/${group}`, { token })
  await expect(addMember(table, { user: ada.user, group })).rejects.toMatchObject({ status: 409 })
  const ofGroup = { user: group, group: true, target: { kind: 'system' }, role } as const
  await expect(addGrant(table, ofGroup)).rejects.toMatchObject({ status: 409 })
  expect(
    (await stone.authenticate({ identity: { methods: ['password'], password: byPassword(ada.name) }, scope: SYSTEM }))
      .status,
  ).toBe(401)
})
