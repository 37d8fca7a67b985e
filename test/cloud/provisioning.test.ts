import { randomBytes } from 'node:crypto'
import { gunzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { open, type Sealed } from '../../contract/seal.ts'
import { available, cloud, image, newNode, privateKey, provision, site, states } from './one-site.ts'

describe('a node', () => {
  it('goes from enroll over manageable and available to active, and back, by commands and reports alone', async () => {
    const node = await newNode({ instance_info: image })
    expect(await states(node)).toMatchObject({ provision_state: 'enroll' })
    await provision(node, 'manage')
    expect(await states(node)).toMatchObject({ provision_state: 'verifying', target_provision_state: 'manageable' })
    expect(site.plan(node).kind).toBe('verify')
    await site.carryOut(node, { power_state: 'power off' })
    expect(await cloud.client.nodes.get(node)).toMatchObject({
      provision_state: 'manageable',
      power_state: 'power off',
    })

    await provision(node, 'provide')
    const clean = site.plan(node)
    await site.report(clean, 'waiting', { step: 3, note: 'waiting for the agent' })
    expect(await cloud.client.nodes.get(node)).toMatchObject({
      provision_state: 'clean wait',
      target_provision_state: 'available',
      reservation: 'box-1',
      operation: { step: 3, steps: 7, note: 'waiting for the agent' },
    })
    await site.report(clean, 'waiting', { step: 4, percent: 50 })
    expect((await cloud.client.nodes.get(node)).clean_step).toMatchObject({
      interface: 'deploy',
      step: 'erase_devices_metadata',
      priority: 99,
    })
    await site.report(clean, 'running', { step: 5 })
    await site.report(clean, 'done', { step: 6, seconds: [1, 1, 1, 30, 5, 2, 1] })
    expect(await states(node)).toMatchObject({ provision_state: 'available', target_provision_state: null })

    await provision(node, 'active', { configdrive: { meta_data: { hostname: 'h' }, user_data: '#cloud-config' } })
    const deploy = site.plan(node)
    expect(deploy.kind).toBe('deploy')
    await site.carryOut(node)
    const active = await cloud.client.nodes.get(node)
    expect(active).toMatchObject({
      provision_state: 'active',
      power_state: 'power on',
      deploy_step: {},
      last_error: null,
    })
    expect(active.driver_internal_info).toMatchObject({ last_operation: { kind: 'deploy', phase: 'done' } })

    await provision(node, 'deleted')
    expect(site.plan(node).kind).toBe('tear_down')
    await site.carryOut(node)
    expect(await states(node)).toMatchObject({ provision_state: 'cleaning', target_provision_state: 'available' })
    expect((await cloud.client.nodes.get(node)).instance_info).toEqual({})
    await site.carryOut(node)
    expect(await states(node)).toMatchObject({ provision_state: 'available' })
    expect([...cloud.blobs.keys()].filter((key) => key.startsWith('config-drives/'))).toEqual([])

    const history = await cloud.client.nodes.history(node)
    expect(history.map(({ event }) => event)).toContain('Provision state: deploying to active.')
  })

  it('gets a plan with its secrets sealed to the site, its ports, and its config drive by URL', async () => {
    const node = await newNode({ instance_info: image })
    await provision(node, 'manage')
    await site.carryOut(node)
    await cloud.client.nodes.patch(node, [{ op: 'add', path: '/automated_clean', value: false }])
    await provision(node, 'provide')
    expect(await states(node)).toMatchObject({ provision_state: 'available' })
    await provision(node, 'active', { configdrive: { user_data: randomBytes(20_000).toString('hex') } })
    const { machine, steps } = site.plan(node)
    const password = machine.driver_info['ipmi_password'] as Sealed
    expect(open(password, `${node}/ipmi_password`, site.uuid, privateKey)).toBe('pa55')
    expect(JSON.stringify(cloud.sent(site.uuid))).not.toContain('pa55')
    expect(machine).toMatchObject({ boot_mode: 'uefi', cpu_arch: 'x86_64', ports: [{ address: '52:54:00:aa:00:01' }] })
    const write = steps.find(({ step }) => step === 'write_image')
    const drive = (write?.args['config_drive'] as { source: { key: string } } | undefined)?.source.key ?? ''
    const message = cloud.sent(site.uuid).at(-1)
    expect(message?.kind === 'commands' && message.urls[drive]).toMatch(/^https:/)
    const iso = gunzipSync(Buffer.from(Buffer.from(cloud.blobs.get(drive) ?? []).toString(), 'base64'))
    expect(iso.includes(node)).toBe(true)
    expect(iso.includes('"hostname":"n1"')).toBe(true)
  })

  it('fails with the words of the site, and can be cleaned up', async () => {
    const node = await available()
    await cloud.client.nodes.patch(node, [{ op: 'add', path: '/instance_info', value: image }])
    await provision(node, 'active')
    await site.report(site.plan(node), 'failed', { step: 4, note: 'Image i: expected sha256 a, actual b.' })
    expect(await states(node)).toMatchObject({
      provision_state: 'deploy failed',
      last_error: 'Image i: expected sha256 a, actual b.',
    })
    await provision(node, 'deleted')
    expect(await states(node)).toMatchObject({ provision_state: 'deleting', last_error: null })
  })

  it('returns to enroll when its BMC refuses the password', async () => {
    const node = await newNode()
    await provision(node, 'manage')
    await site.report(site.plan(node), 'failed', { note: 'BMC 192.0.2.1: incorrect password.' })
    expect(await states(node)).toEqual({
      provision_state: 'enroll',
      target_provision_state: null,
      last_error: 'BMC 192.0.2.1: incorrect password.',
    })
  })

  it('is put under maintenance when a cleaning that had begun fails', async () => {
    const node = await newNode()
    await provision(node, 'manage')
    await site.carryOut(node)
    await provision(node, 'provide')
    await site.report(site.plan(node), 'failed', { step: 4, note: 'disk' })
    expect(await cloud.client.nodes.get(node)).toMatchObject({
      provision_state: 'clean failed',
      maintenance: true,
      fault: 'clean failure',
    })
  })

  it('comes to rest as manageable when it is retired', async () => {
    const node = await available()
    await cloud.client.nodes.patch(node, [{ op: 'add', path: '/instance_info', value: image }])
    await provision(node, 'active')
    await site.carryOut(node)
    await cloud.client.nodes.patch(node, [{ op: 'add', path: '/retired', value: true }])
    await provision(node, 'deleted')
    await site.carryOut(node)
    await site.carryOut(node)
    expect(await states(node)).toMatchObject({ provision_state: 'manageable' })
    await expect(provision(node, 'provide')).rejects.toMatchObject({ status: 400 })
  })

  it('can be cleaned by hand with named steps', async () => {
    const node = await newNode()
    await provision(node, 'manage')
    await site.carryOut(node)
    await expect(provision(node, 'clean')).rejects.toMatchObject({ status: 400 })
    await expect(provision(node, 'clean', { clean_steps: [{ interface: 'raid', step: 'x' }] })).rejects.toThrow(
      /unknown/,
    )
    await provision(node, 'clean', { clean_steps: [{ interface: 'deploy', step: 'erase_devices_metadata' }] })
    await site.carryOut(node)
    expect(await states(node)).toMatchObject({ provision_state: 'manageable' })
  })

  it('fails at once, saying why, where its site has no appliance', async () => {
    await cloud.client.sites.create('empty')
    const info = { ipmi_address: '192.0.2.9' }
    const { uuid } = await cloud.client.nodes.create({ driver: 'ipmi', conductor_group: 'empty', driver_info: info })
    await provision(uuid, 'manage')
    expect(await states(uuid)).toMatchObject({
      provision_state: 'enroll',
      last_error: expect.stringMatching(/enrol one/),
    })
  })
})

describe('verbs', () => {
  it('are refused with 409 while an operation runs, with 400 where the state has no such arrow', async () => {
    const node = await newNode()
    await expect(provision(node, 'provide')).rejects.toMatchObject({ status: 400 })
    await provision(node, 'manage')
    await expect(provision(node, 'provide')).rejects.toMatchObject({
      status: 409,
      message: expect.stringMatching(/locked by host box-1, please retry/),
    })
    await expect(cloud.client.nodes.power(node, 'power on')).rejects.toMatchObject({ status: 409 })
  })

  it('are refused with 400 when what they need is missing', async () => {
    const node = await available()
    await expect(provision(node, 'active')).rejects.toThrow(/image_source/)
    const patch = (value: unknown) => cloud.client.nodes.patch(node, [{ op: 'add', path: '/instance_info', value }])
    await patch({ image_source: 'http://x.test/i' })
    await expect(provision(node, 'active')).rejects.toThrow(/image_checksum/)
    await patch({ ...image, traits: ['CUSTOM_GPU'] })
    await expect(provision(node, 'active')).rejects.toThrow(/CUSTOM_GPU/)
    await patch({ ...image, image_source: 'nowhere' })
    await expect(provision(node, 'active')).rejects.toThrow(/could not be found/)
    await patch(image)
    await cloud.client.nodes.maintenance(node, 'broken')
    await expect(provision(node, 'active')).rejects.toThrow(/maintenance/)
    await cloud.client.nodes.clearMaintenance(node)
    await expect(provision(node, 'active', { configdrive: 'not base64!' })).rejects.toThrow(/configdrive/)
    await expect(provision(node, 'rescue')).rejects.toMatchObject({ status: 400 })
  })

  it('abort a wait, and tell the site to stop', async () => {
    const node = await available()
    await cloud.client.nodes.patch(node, [{ op: 'add', path: '/instance_info', value: image }])
    await provision(node, 'active')
    const plan = site.plan(node)
    await site.report(plan, 'waiting', { step: 3 })
    await provision(node, 'abort')
    expect(await states(node)).toMatchObject({ provision_state: 'deploy failed' })
    expect(site.commands().at(-1)).toMatchObject({
      kind: 'cancel',
      node,
      generation: plan.generation,
      lane: 'provision',
    })
    await site.report(plan, 'done')
    expect(await states(node)).toMatchObject({ provision_state: 'deploy failed' })
  })
})
