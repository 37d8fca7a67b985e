import type { AddressInfo } from 'node:net'
import { serve, type ServerType } from '@hono/node-server'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { createApi } from '../../lambdas/app.ts'
import { bootstrap } from '../../lambdas/identity/bootstrap.ts'
import { type ControlPlane, openControlPlane } from '../cloud/control-plane.ts'
import { OpenStackShell } from './openstack-shell.ts'

/** OpenStack's own client and its keystoneauth, unmodified, against our identity service and the API behind it. */
type Environment = Record<string, string>

let cloud: ControlPlane
let server: ServerType
let admin: Environment
let person: Environment
let robot: Environment
/** One per set of settings: the client remembers the first that it saw. */
const shells = new Map<string, OpenStackShell>()

beforeAll(async () => {
  cloud = await openControlPlane()
  // Clients compare a token's end with their own clock.
  const platform = { ...cloud.platform, clock: { now: () => new Date() } }
  await bootstrap(platform, 'of the first day')
  const signingKey = Buffer.alloc(32, 3).toString('base64url')
  const api = createApi(platform, {
    publicEndpoint: null,
    auth: { strategy: 'keystone', signingKey, tokenSeconds: 3600 },
  })
  server = await new Promise<ServerType>((resolve) => {
    const started: ServerType = serve({ fetch: api.fetch, hostname: '127.0.0.1', port: 0 }, () => resolve(started))
  })
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/identity`
  const common = {
    OS_AUTH_URL: url,
    OS_USER_DOMAIN_NAME: 'Default',
    OS_PROJECT_DOMAIN_NAME: 'Default',
    OS_REGION_NAME: 'RegionOne',
  }
  admin = { ...common, OS_USERNAME: 'admin', OS_PASSWORD: 'of the first day', OS_SYSTEM_SCOPE: 'all' }
  person = { ...common, OS_USERNAME: 'ada', OS_PASSWORD: 'lovelace', OS_PROJECT_NAME: 'engines' }
  robot = { OS_AUTH_URL: url, OS_AUTH_TYPE: 'v3applicationcredential', OS_REGION_NAME: 'RegionOne' }
})
afterAll(async () => {
  for (const shell of shells.values()) shell[Symbol.dispose]()
  await new Promise((resolve) => {
    server.close(resolve)
  })
  await cloud[Symbol.asyncDispose]()
})

async function text(as: Environment, ...args: string[]): Promise<string> {
  const key = JSON.stringify(as)
  const shell = shells.get(key) ?? new OpenStackShell(as)
  shells.set(key, shell)
  const { code, stdout, stderr } = await shell.run(args)
  if (code !== 0) throw new Error(`${args.join(' ')}: ${stderr}`)
  return stdout
}
// oxlint-disable-next-line typescript/no-explicit-any -- what another program prints
const json = async (as: Environment, ...args: string[]): Promise<any> =>
  JSON.parse(await text(as, ...args, '-f', 'json'))

it('finds the version, gets a token and reads the catalogue', async () => {
  expect(await json(admin, 'token', 'issue')).toMatchObject({ id: expect.stringMatching(/^v1\./), system: 'all' })
  const services = (await json(admin, 'catalog', 'list')) as Array<{ Type: string }>
  expect(services.map(({ Type }) => Type)).toEqual([
    'baremetal',
    'compute',
    'image',
    'placement',
    'network',
    'block-storage',
    'volumev3',
    'identity',
  ])
  expect(await json(admin, 'endpoint', 'list', '--service', 'baremetal')).toHaveLength(3)
  await expect(text({ ...admin, OS_PASSWORD: 'wrong' }, 'token', 'issue')).rejects.toThrow(/HTTP 401/)
}, 180_000)

it('keeps projects, users and roles', async () => {
  const project = await json(admin, 'project', 'create', 'engines', '--description', 'of Babbage')
  expect(project).toMatchObject({ name: 'engines', enabled: true, domain_id: 'default' })
  const user = await json(admin, 'user', 'create', 'ada', '--password', 'lovelace', '--email', 'ada@example.org')
  await json(admin, 'role', 'create', 'poet')
  await text(admin, 'role', 'add', '--project', 'engines', '--user', 'ada', 'reader')
  await text(admin, 'role', 'add', '--system', 'all', '--user', 'ada', 'poet')
  const assignments = await json(admin, 'role', 'assignment', 'list', '--user', 'ada', '--names')
  expect(assignments.map((each: { Role: string }) => each.Role).sort()).toEqual(['poet', 'reader'])
  await text(admin, 'role', 'remove', '--system', 'all', '--user', 'ada', 'poet')
  await text(admin, 'role', 'delete', 'poet')
  expect((await json(admin, 'role', 'list')).map((each: { Name: string }) => each.Name)).not.toContain('poet')
  expect(await json(admin, 'user', 'show', 'ada')).toMatchObject({ id: user.id, email: 'ada@example.org' })
  expect(await json(admin, 'project', 'show', 'engines')).toMatchObject({ id: project.id })
  expect((await json(admin, 'project', 'list')).map((each: { Name: string }) => each.Name)).toEqual([
    'admin',
    'engines',
    'service',
  ])
  expect((await json(admin, 'user', 'list')).map((each: { Name: string }) => each.Name)).toEqual(['ada', 'admin'])
}, 180_000)

it('shows a reader the nodes of their project, and lets them change none', async () => {
  const { id } = await json(admin, 'project', 'show', 'engines')
  const theirs = await json(admin, 'baremetal', 'node', 'create', '--driver', 'ipmi', '--name', 'difference')
  await text(admin, 'baremetal', 'node', 'set', 'difference', '--owner', id)
  await json(admin, 'baremetal', 'node', 'create', '--driver', 'ipmi', '--name', 'hidden')
  const names = async (as: Environment) =>
    (await json(as, 'baremetal', 'node', 'list')).map((each: { Name: string }) => each.Name)
  expect(await names(admin)).toEqual(['difference', 'hidden'])
  expect(await names(person)).toEqual(['difference'])
  expect(await json(person, 'baremetal', 'node', 'show', theirs.uuid)).toMatchObject({ owner: id })
  await expect(text(person, 'baremetal', 'node', 'show', 'hidden')).rejects.toThrow(/hidden could not be found.*404/)
  await expect(text(person, 'baremetal', 'node', 'set', 'difference', '--extra', 'a=b')).rejects.toThrow(
    /update_extra.*403/,
  )
  await expect(text(person, 'baremetal', 'node', 'delete', 'difference')).rejects.toThrow(/node:delete.*403/)
  await expect(text(person, 'user', 'list')).rejects.toThrow(/403/)
}, 180_000)

it('gives roles to groups, and so to their members', async () => {
  const group = await json(admin, 'group', 'create', 'poets', '--description', 'and engineers')
  await text(admin, 'group', 'add', 'user', 'poets', 'ada')
  expect(await text(admin, 'group', 'contains', 'user', 'poets', 'ada')).toMatch(/ada in group poets/)
  expect(await json(admin, 'user', 'list', '--group', 'poets')).toMatchObject([{ Name: 'ada' }])
  await text(admin, 'role', 'add', '--project', 'engines', '--group', 'poets', 'member')
  const assignments = await json(admin, 'role', 'assignment', 'list', '--group', 'poets', '--names')
  expect(assignments).toMatchObject([{ Role: 'member', Group: expect.stringContaining('poets') }])
  await text(person, 'baremetal', 'node', 'set', 'difference', '--extra', 'a=b')
  await text(admin, 'group', 'remove', 'user', 'poets', 'ada')
  await expect(text(person, 'baremetal', 'node', 'set', 'difference', '--extra', 'a=c')).rejects.toThrow(/403/)
  await text(admin, 'group', 'set', 'poets', '--name', 'engineers')
  expect(await json(admin, 'group', 'show', 'engineers')).toMatchObject({ id: group.id })
  await text(admin, 'group', 'delete', 'engineers')
  expect(await json(admin, 'group', 'list')).toEqual([])
}, 180_000)

it('logs in by application credential, changes a password and revokes a token', async () => {
  const made = await json(person, 'application', 'credential', 'create', 'robot', '--role', 'reader')
  robot = { ...robot, OS_APPLICATION_CREDENTIAL_ID: made.id ?? made.ID, OS_APPLICATION_CREDENTIAL_SECRET: made.secret }
  expect(await json(robot, 'baremetal', 'node', 'list')).toMatchObject([{ Name: 'difference' }])
  expect(await json(person, 'application', 'credential', 'list')).toMatchObject([{ Name: 'robot' }])
  await text(person, 'application', 'credential', 'delete', 'robot')
  await expect(text(robot, 'baremetal', 'node', 'list')).rejects.toThrow(/401/)
  const { id: token } = await json(person, 'token', 'issue')
  const bearer = {
    OS_AUTH_TYPE: 'v3token',
    OS_AUTH_URL: person['OS_AUTH_URL'] ?? '',
    OS_TOKEN: token,
    OS_PROJECT_NAME: 'engines',
    OS_PROJECT_DOMAIN_NAME: 'Default',
  }
  expect(await json(bearer, 'baremetal', 'node', 'list')).toHaveLength(1)
  await text(admin, 'token', 'revoke', token)
  await expect(text(bearer, 'baremetal', 'node', 'list')).rejects.toThrow(/401/)
  await text(person, 'user', 'password', 'set', '--original-password', 'lovelace', '--password', 'byron')
  await expect(text(person, 'token', 'issue')).rejects.toThrow(/401/)
  expect(await json({ ...person, OS_PASSWORD: 'byron' }, 'token', 'issue')).toMatchObject({ id: expect.any(String) })
}, 180_000)
