import { afterEach, beforeEach, expect, it } from 'vitest'
import { type KeystoneCloud, openKeystone, SYSTEM } from './keystone.ts'

let stone: KeystoneCloud
let token: string
let group: string
let user: string
let project: string
beforeEach(async () => {
  stone = await openKeystone()
  token = await stone.admin()
  group = (await ask('POST', '/groups', { group: { name: 'operators' } })).body.group.id
  user = (await ask('POST', '/users', { user: { name: 'ada', password: 'secret' } })).body.user.id
  project = (await ask('POST', '/projects', { project: { name: 'p' } })).body.project.id
})
afterEach(() => stone[Symbol.asyncDispose]())

const ask = (method: string, path: string, body?: unknown) => stone.identity(method, path, { token, body })
const roleId = async (name: string) => (await ask('GET', `/roles?name=${name}`)).body.roles[0].id as string
const login = (scope: unknown) => stone.login('ada', 'secret', scope)
const inProject = () => ({ project: { id: project } })

it('are made, found, renamed and deleted, each name once', async () => {
  expect((await ask('GET', '/groups?name=operators')).body.groups).toMatchObject([{ id: group, domain_id: 'default' }])
  expect((await ask('POST', '/groups', { group: { name: 'operators' } })).status).toBe(409)
  expect((await ask('PATCH', `/groups/${group}`, { group: { description: 'day shift' } })).body.group).toMatchObject({
    name: 'operators',
    description: 'day shift',
  })
  expect((await ask('DELETE', `/groups/${group}`)).status).toBe(204)
  expect((await ask('GET', `/groups/${group}`)).status).toBe(404)
  expect((await ask('POST', '/groups', { group: { name: '' } })).status).toBe(400)
})

it('have members, who are told of their groups', async () => {
  const member = `/groups/${group}/users/${user}`
  expect((await ask('HEAD', member)).status).toBe(404)
  expect((await ask('PUT', member)).status).toBe(204)
  expect((await ask('HEAD', member)).status).toBe(204)
  expect((await ask('GET', `/groups/${group}/users`)).body.users).toMatchObject([{ name: 'ada' }])
  const own = await stone.login('ada', 'secret')
  const groups = await stone.identity('GET', `/users/${user}/groups`, { token: own })
  expect(groups.body.groups).toMatchObject([{ name: 'operators' }])
  expect((await stone.identity('PUT', member, { token: own })).status).toBe(403)
  expect((await stone.identity('GET', '/groups', { token: own })).status).toBe(403)
  expect((await ask('DELETE', member)).status).toBe(204)
  expect((await ask('DELETE', member)).status).toBe(404)
  expect((await ask('PUT', `/groups/${group}/users/${'0'.repeat(32)}`)).status).toBe(404)
})

it('give their members their roles, from the moment that they have them until they lose them', async () => {
  await expect(login(inProject())).rejects.toThrow('401')
  const grant = `/projects/${project}/groups/${group}/roles/${await roleId('member')}`
  expect((await ask('PUT', grant)).status).toBe(204)
  await expect(login(inProject())).rejects.toThrow('401')
  await ask('PUT', `/groups/${group}/users/${user}`)
  const scoped = await login(inProject())
  const nodes = () => stone.baremetal('GET', '/v1/nodes', scoped)
  expect((await nodes()).status).toBe(200)
  const own = await stone.identity('GET', '/auth/projects', { token: scoped })
  expect(own.body.projects).toMatchObject([{ name: 'p' }])
  expect((await ask('HEAD', grant)).status).toBe(204)
  expect((await ask('GET', `/projects/${project}/groups/${group}/roles`)).body.roles).toMatchObject([
    { name: 'member' },
  ])
  await ask('DELETE', `/groups/${group}/users/${user}`)
  expect((await nodes()).status).toBe(401)
  await ask('PUT', `/groups/${group}/users/${user}`)
  expect((await nodes()).status).toBe(200)
  await ask('DELETE', `/groups/${group}`)
  expect((await nodes()).status).toBe(401)
})

it('may have roles on the system', async () => {
  await ask('PUT', `/system/groups/${group}/roles/${await roleId('reader')}`)
  await ask('PUT', `/groups/${group}/users/${user}`)
  const scoped = await login(SYSTEM)
  expect((await stone.baremetal('GET', '/v1/conductors', scoped)).status).toBe(200)
  expect((await stone.baremetal('POST', '/v1/nodes', scoped, { driver: 'ipmi' })).status).toBe(403)
})

it('are in the list of assignments, or with `effective` their members in their place', async () => {
  const member = await roleId('member')
  await ask('PUT', `/projects/${project}/groups/${group}/roles/${member}`)
  await ask('PUT', `/groups/${group}/users/${user}`)
  const listed = async (query: string) => (await ask('GET', `/role_assignments?${query}`)).body.role_assignments
  expect(await listed(`group.id=${group}&include_names`)).toMatchObject([
    { group: { id: group, name: 'operators' }, role: { name: 'member' }, scope: { project: { name: 'p' } } },
  ])
  expect(await listed(`user.id=${user}`)).toEqual([])
  const effective = await listed(`user.id=${user}&effective&include_names`)
  expect(effective.map(({ role }: { role: { name: string } }) => role.name).toSorted()).toEqual(['member', 'reader'])
  for (const each of effective) expect(each.user).toMatchObject({ id: user, name: 'ada' })
})
