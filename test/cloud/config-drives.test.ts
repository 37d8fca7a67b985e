import { expect, it } from 'vitest'
import { encodeConfigDrive, renderConfigDrive } from '../../contract/config-drive.ts'
import type { Plan } from '../../contract/plan.ts'
import { available, cloud, image, provision, site } from './one-site.ts'

/** A config drive is part of instance_info to clients, who patch it, remove it and see that there is one. */

const path = '/instance_info/configdrive'
const drive = encodeConfigDrive(renderConfigDrive({ user_data: '#cloud-config' }))
const shown = async (node: string) => (await cloud.client.nodes.get(node)).instance_info['configdrive']
const written = (plan: Plan): unknown => plan.steps.find(({ step }) => step === 'write_image')?.args['config_drive']

async function withImage(): Promise<string> {
  const node = await available()
  await cloud.client.nodes.patch(node, [{ op: 'add', path: '/instance_info', value: image }])
  return node
}

it('is shown masked once a deploy brought one, and gone with the instance', async () => {
  const node = await withImage()
  await provision(node, 'active', { configdrive: { user_data: '#cloud-config' } })
  expect(await shown(node)).toBe('******')
  await site.carryOut(node)
  await provision(node, 'deleted')
  await site.carryOut(node)
  expect(await shown(node)).toBeUndefined()
})

it('may be patched in, and is what a deploy that brings none writes', async () => {
  const node = await withImage()
  await cloud.client.nodes.patch(node, [{ op: 'add', path, value: drive }])
  expect(await shown(node)).toBe('******')
  await provision(node, 'active')
  expect(written(site.plan(node))).toMatchObject({ source: { kind: 'inline', text: drive } })
})

it('stays when something else is patched, and goes when it is removed', async () => {
  const node = await withImage()
  await provision(node, 'active', { configdrive: drive })
  await site.carryOut(node)
  await cloud.client.nodes.patch(node, [{ op: 'add', path: '/instance_info/display_name', value: 'n' }])
  await provision(node, 'rebuild')
  expect(written(site.plan(node))).not.toBeNull()
  await site.carryOut(node)
  await cloud.client.nodes.patch(node, [{ op: 'remove', path }])
  expect(await shown(node)).toBeUndefined()
  await provision(node, 'rebuild')
  expect(written(site.plan(node))).toBeNull()
})
