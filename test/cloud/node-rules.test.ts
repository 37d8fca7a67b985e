import { expect, it } from 'vitest'
import { available, cloud, image, newNode, provision, site } from './one-site.ts'

const set = (node: string, path: string, value: unknown) => cloud.client.nodes.patch(node, [{ op: 'add', path, value }])

async function active(): Promise<string> {
  const node = await available()
  await set(node, '/instance_info', image)
  await provision(node, 'active')
  await site.carryOut(node)
  return node
}

it('a node that is on its way can not be changed', async () => {
  const node = await available()
  await set(node, '/instance_info', image)
  await provision(node, 'active')
  await expect(set(node, '/extra/a', 1)).rejects.toMatchObject({ status: 409 })
  const [port] = await cloud.client.nodes.ports(node)
  await expect(cloud.client.ports.delete(port?.uuid ?? '')).rejects.toMatchObject({ status: 409 })
  await expect(cloud.client.nodes.delete(node)).rejects.toMatchObject({ status: 409 })
  await site.report(site.plan(node), 'failed', { note: 'why' })
  await set(node, '/extra/a', 1)
})

it('a node in use keeps its class and interfaces, unless it is under maintenance', async () => {
  const node = await active()
  await expect(set(node, '/resource_class', 'big')).rejects.toMatchObject({ status: 409 })
  await expect(set(node, '/management_interface', 'noop')).rejects.toMatchObject({ status: 409 })
  await set(node, '/owner', 'someone') // it is the system's administrator who asks
  await set(node, '/description', 'mine')
  await cloud.client.nodes.maintenance(node, 'refit')
  expect(await set(node, '/resource_class', 'big')).toMatchObject({
    resource_class: 'big',
    maintenance_reason: 'refit',
  })
  expect(await set(node, '/maintenance', false)).toMatchObject({ maintenance_reason: null, fault: null })
})

it('a protected node is neither torn down nor rebuilt nor deleted', async () => {
  const node = await active()
  await set(node, '/protected', true)
  await set(node, '/protected_reason', 'payroll')
  for (const verb of ['deleted', 'rebuild'] as const)
    await expect(provision(node, verb)).rejects.toMatchObject({ status: 403 })
  await cloud.client.nodes.maintenance(node, 'x')
  await expect(cloud.client.nodes.delete(node)).rejects.toMatchObject({ status: 403 })
  expect(await set(node, '/protected', false)).toMatchObject({ protected_reason: null })
})

it('only a node in use is protected, and none that is available is retired', async () => {
  const node = await available()
  await expect(set(node, '/protected', true)).rejects.toMatchObject({ status: 409 })
  await expect(set(node, '/retired', true)).rejects.toMatchObject({ status: 409 })
  await expect(set(node, '/retired_reason', 'old')).rejects.toMatchObject({ status: 400 })
})

it('what is read only stays so', async () => {
  const node = await newNode()
  for (const path of ['/uuid', '/provision_state', '/power_state', '/traits', '/created_at', '/operation'])
    await expect(set(node, path, 'x'), path).rejects.toMatchObject({ status: 400 })
  await expect(cloud.client.nodes.patch(node, [{ op: 'remove', path: '/driver' }])).rejects.toMatchObject({
    status: 400,
  })
})

it('an active node is rebuilt with the config drive that it has', async () => {
  const node = await available()
  await set(node, '/instance_info', image)
  await provision(node, 'active', { configdrive: { user_data: 'first' } })
  await site.carryOut(node)
  const drives = [...cloud.blobs.keys()]
  await provision(node, 'rebuild')
  const write = site.plan(node).steps.find(({ step }) => step === 'write_image')
  const text = Buffer.from(cloud.blobs.get(drives[0]!) ?? []).toString()
  expect(write?.args['config_drive']).toMatchObject({ source: { kind: 'inline', text } })
  await site.carryOut(node)
  expect([...cloud.blobs.keys()]).toEqual(drives)
})

it('traits are a set', async () => {
  const node = await newNode()
  const headers = { 'x-openstack-ironic-api-version': '1.115' }
  const put = (path: string, body?: unknown) =>
    cloud.request(`/v1/nodes/${node}/traits${path}`, { method: 'PUT', headers, body: JSON.stringify(body) })
  expect((await put('', { traits: ['CUSTOM_B', 'CUSTOM_A', 'CUSTOM_A'] })).status).toBe(204)
  expect((await put('/HW_CPU_X86_VMX')).status).toBe(204)
  expect((await put('/lower')).status).toBe(400)
  expect((await cloud.client.nodes.get(node)).traits).toEqual(['CUSTOM_A', 'CUSTOM_B', 'HW_CPU_X86_VMX'])
  const many = Array.from({ length: 51 }, (_, at) => `CUSTOM_${at}`)
  expect((await put('', { traits: many })).status).toBe(400)
  const gone = await cloud.request(`/v1/nodes/${node}/traits/CUSTOM_Z`, { method: 'DELETE', headers })
  expect(gone.status).toBe(404)
})
