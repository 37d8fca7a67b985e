import { describe, expect, it } from 'vitest'
import { defaultOptions } from '../../contract/conductor-options.ts'
import type { Node } from '../../contract/resources.ts'
import { settled } from '../../lambdas/api/settle.ts'
import { getNode } from '../../lambdas/store/nodes.ts'
import { alive } from './control-plane.ts'
import { available, cloud, newNode, provision, site, states } from './one-site.ts'

describe('power', () => {
  it('goes through its own lane and ends with what the site says', async () => {
    const node = await available()
    await cloud.client.nodes.power(node, 'power on')
    await cloud.settle()
    expect(site.plan(node)).toMatchObject({ lane: 'power', kind: 'power', steps: [{ args: { target: 'power on' } }] })
    expect(await cloud.client.nodes.get(node)).toMatchObject({ target_power_state: 'power on', reservation: 'box-1' })
    await expect(cloud.client.nodes.power(node, 'power off')).rejects.toMatchObject({ status: 409 })
    await site.report(site.plan(node), 'done', { power_state: 'power on' })
    expect(await cloud.client.nodes.get(node)).toMatchObject({
      power_state: 'power on',
      target_power_state: null,
      reservation: null,
    })
  })

  it('is waited for by the next order, for as long as Ironic waits for its lock', async () => {
    const { table } = cloud.platform
    const uuid = await available()
    await cloud.client.nodes.power(uuid, 'power on')
    await cloud.settle()
    const busy = (await getNode(table, uuid))!
    const waiting = (attempts: number): Promise<Node> => {
      const options = { ...defaultOptions, node_locked_retry_attempts: attempts, node_locked_retry_interval: 0.05 }
      return settled({ table, options }, busy)
    }
    expect((await waiting(2)).target_power_state).toBe('power on')
    const patient = waiting(10)
    await site.report(site.plan(uuid), 'done', { power_state: 'power on' })
    expect(await patient).toMatchObject({ target_power_state: null, power_state: 'power on' })
  })

  it('has as much longer as a graceful change may take', async () => {
    const node = await available()
    await cloud.client.nodes.power(node, 'soft power off', 900)
    await cloud.settle()
    cloud.pass(1400)
    await cloud.tick()
    expect((await cloud.client.nodes.get(node)).target_power_state).toBe('soft power off')
    cloud.pass(200)
    await cloud.tick()
    expect((await cloud.client.nodes.get(node)).target_power_state).toBeNull()
  })

  it('gives an operating system ten minutes to end, where nobody says how long', async () => {
    const node = await available()
    await cloud.client.nodes.power(node, 'soft power off')
    await cloud.settle()
    const [step] = site.plan(node).steps
    expect(step).toMatchObject({ args: { target: 'soft power off', timeout: 600 } })
    expect(step!.deadline_seconds).toBeGreaterThan(600)
    cloud.pass(1100)
    await cloud.tick()
    expect((await cloud.client.nodes.get(node)).target_power_state).toBe('soft power off')
  })

  it('tells why it failed', async () => {
    const node = await available()
    await cloud.client.nodes.power(node, 'power on')
    await cloud.settle()
    await site.report(site.plan(node), 'failed', { note: 'BMC 192.0.2.1 did not answer within 60 s.' })
    expect(await cloud.client.nodes.get(node)).toMatchObject({
      target_power_state: null,
      last_error: 'BMC 192.0.2.1 did not answer within 60 s.',
    })
  })

  it('sets the boot device', async () => {
    const node = await available()
    await cloud.client.nodes.setBootDevice(node, { boot_device: 'pxe', persistent: true })
    await cloud.settle()
    expect(site.plan(node)).toMatchObject({
      kind: 'boot_device',
      steps: [{ args: { device: 'pxe', persistent: true } }],
    })
    await site.carryOut(node)
    expect(await cloud.client.nodes.bootDevice(node)).toEqual({ boot_device: 'pxe', persistent: true })
    await expect(cloud.client.nodes.setBootDevice(node, { boot_device: 'floppy', persistent: false })).rejects.toThrow(
      /floppy/,
    )
  })
})

describe('deadlines', () => {
  it('fail an operation that says nothing any more, and stop it', async () => {
    const node = await newNode()
    await provision(node, 'manage')
    await site.report(site.plan(node), 'running', { note: 'asking the BMC' })
    cloud.pass(601)
    await alive(cloud, site.uuid, { commands_through: 1 })
    await cloud.tick()
    expect(await states(node)).toMatchObject({
      provision_state: 'enroll',
      last_error: expect.stringMatching(/not verified in time.*asking the BMC/),
    })
    expect(site.commands().at(-1)).toMatchObject({ kind: 'cancel', node })
  })

  it('are renewed by every report', async () => {
    const node = await newNode()
    await provision(node, 'manage')
    for (let minute = 0; minute < 30; minute += 5) {
      cloud.pass(300)
      await site.report(site.plan(node), 'running')
      await cloud.tick()
    }
    expect(await states(node)).toMatchObject({ provision_state: 'verifying' })
  })

  it('wait for a day when the site is cut off', async () => {
    const node = await newNode()
    await provision(node, 'manage')
    cloud.pass(3600)
    await cloud.tick()
    expect(await states(node)).toMatchObject({ provision_state: 'verifying' })
    cloud.pass(24 * 3600)
    await cloud.tick()
    expect(await states(node)).toMatchObject({ provision_state: 'enroll' })
  })

  it('end a power change that is not reported', async () => {
    const node = await available()
    await cloud.client.nodes.power(node, 'power on')
    await cloud.settle()
    cloud.pass(601)
    await cloud.tick()
    expect(await cloud.client.nodes.get(node)).toMatchObject({
      target_power_state: null,
      last_error: expect.stringMatching(/power or boot device/),
    })
  })
})
