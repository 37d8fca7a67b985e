import { afterEach, beforeEach, expect, it } from 'vitest'
import { faultText } from '../../contract/api/faults.ts'
import { type ControlPlane, openControlPlane } from './control-plane.ts'

let cloud: ControlPlane
let path: string
beforeEach(async () => {
  cloud = await openControlPlane()
  const node = await cloud.client.nodes.create({
    driver: 'ipmi',
    driver_info: { ipmi_address: '192.0.2.1' },
    name: 'n',
  })
  path = `/v1/nodes/${node.uuid}`
})
afterEach(() => cloud[Symbol.asyncDispose]())

const at = (more: Record<string, string> = {}, minor = 115) => ({
  'x-openstack-ironic-api-version': `1.${minor}`,
  ...more,
})
const get = (more?: Record<string, string>, minor?: number) => cloud.request(path, { headers: at(more, minor) })
const tagOf = async (reply: Response | Promise<Response>) => (await reply).headers.get('etag') ?? ''
const rename = (name: string, more?: Record<string, string>) =>
  cloud.request(path, {
    method: 'PATCH',
    headers: at(more),
    body: JSON.stringify([{ op: 'replace', path: '/name', value: name }]),
  })

it('a reply that the caller has already is 304 without a body, until it is another', async () => {
  const tag = await tagOf(get())
  expect(tag).toMatch(/^"1-[0-9a-f]{16}"$/)
  const again = await get({ 'if-none-match': `"other", W/${tag}` })
  expect([again.status, await again.text(), again.headers.get('etag')]).toEqual([304, '', tag])
  expect((await get({ 'if-none-match': tag }, 30)).status).toBe(200)
  await rename('m')
  expect((await get({ 'if-none-match': tag })).status).toBe(200)
})

it('a patch of what somebody changed meanwhile is refused, and nothing is written', async () => {
  const tag = await tagOf(get({}, 60))
  const first = await rename('mine', { 'if-match': tag })
  expect(first.status).toBe(200)
  const second = await rename('yours', { 'if-match': tag })
  expect(second.status).toBe(412)
  expect(faultText(await second.text())).toMatch(/read it again/)
  expect(await (await get()).json()).toMatchObject({ name: 'mine' })
  expect((await rename('yours', { 'if-match': `"x", ${await tagOf(first)}` })).status).toBe(200)
  expect((await rename('any', { 'if-match': '*' })).status).toBe(200)
})

it('of many patches with the same tag one goes through', async () => {
  const tag = await tagOf(get())
  const replies = await Promise.all(Array.from({ length: 8 }, (_, n) => rename(`n${n}`, { 'if-match': tag })))
  expect(replies.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([
    200, 412, 412, 412, 412, 412, 412, 412,
  ])
})

it('verbs and deletions are held to a tag too', async () => {
  const old = await tagOf(get())
  await rename('m')
  const manage = (tag: string) =>
    cloud.request(`${path}/states/provision`, {
      method: 'PUT',
      headers: at({ 'if-match': tag }),
      body: JSON.stringify({ target: 'manage' }),
    })
  expect((await manage(old)).status).toBe(412)
  expect((await cloud.request(path, { method: 'DELETE', headers: at({ 'if-match': old }) })).status).toBe(412)
  expect(
    (await cloud.request(path, { method: 'DELETE', headers: at({ 'if-match': await tagOf(get()) }) })).status,
  ).toBe(204)
})

it('ports have tags as nodes have', async () => {
  const { uuid } = await cloud.client.nodes.get('n')
  const port = await cloud.client.ports.create({ node_uuid: uuid, address: '52:54:00:00:00:01' })
  path = `/v1/ports/${port.uuid}`
  const tag = await tagOf(get())
  expect((await get({ 'if-none-match': tag })).status).toBe(304)
  const patch = (value: string) =>
    cloud.request(path, {
      method: 'PATCH',
      headers: at({ 'if-match': tag }),
      body: JSON.stringify([{ op: 'add', path: '/extra/k', value }]),
    })
  expect((await patch('a')).status).toBe(200)
  expect((await patch('b')).status).toBe(412)
})

it.each([
  ['PUT', '/maintenance', { reason: 'x' }],
  ['PUT', '/traits', { traits: ['CUSTOM_A'] }],
  ['PUT', '/traits/CUSTOM_B', undefined],
  ['PUT', '/states/power', { target: 'power on' }],
  ['PUT', '/management/boot_device', { boot_device: 'pxe' }],
])('%s %s answers with the tag of the node as it is then, and heeds one that is given', async (method, below, body) => {
  path = `/v1/nodes/${(await cloud.client.nodes.create({ driver: 'fake-hardware' })).uuid}`
  const seen = await tagOf(get())
  const send = (tag: string) =>
    cloud.request(`${path}${below}`, {
      method,
      headers: at({ 'if-match': tag }),
      ...(body && { body: JSON.stringify(body) }),
    })
  const done = await send(seen)
  expect([200, 202, 204]).toContain(done.status)
  const tag = await tagOf(done)
  expect(tag).toMatch(/^"2-/)
  expect((await send(seen)).status).toBe(412)
  // Work that begins changes the node at once.
  if (!below.includes('power') && !below.includes('boot'))
    expect((await rename('m', { 'if-match': tag })).status).toBe(200)
})

it('an instance has one name, whichever way it is given', async () => {
  const headers = at()
  const patch = async (op: string, of: string, value?: unknown) => {
    const body = JSON.stringify([{ op, path: of, value }])
    const { instance_name, instance_info } = (await (
      await cloud.request(path, { method: 'PATCH', headers, body })
    ).json()) as { instance_name: string | null; instance_info: { display_name?: string } }
    return [instance_name, instance_info.display_name]
  }
  expect(await patch('add', '/instance_info/display_name', 'a')).toEqual(['a', 'a'])
  expect(await patch('replace', '/instance_name', 'b')).toEqual(['b', 'b'])
  expect(await patch('remove', '/instance_name')).toEqual([null, undefined])
})
