import { randomUUID } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import type { Command } from '../../contract/messages.ts'
import { getNode } from '../../lambdas/store/nodes.ts'
import { available, cloud, newNode, provision, site, states } from './one-site.ts'

describe('a command that an appliance does not know', () => {
  const refuse = (about: Pick<Command, 'node' | 'generation' | 'kind'>, seq = 99) =>
    cloud.uplink(site.uuid, {
      v: 1,
      kind: 'reports',
      reports: [
        {
          id: randomUUID(),
          seq,
          at: cloud.platform.clock.now().toISOString(),
          kind: 'refused',
          node: about.node,
          generation: about.generation,
          command: about.kind,
          text: `(software 0.0.1) does not know the command "${about.kind}": update it`,
        },
      ],
    })
  const last_error = (kind: string) =>
    `Appliance box-1 (software 0.0.1) does not know the command "${kind}": update it.`

  it('ends the operation that it was for, saying so', async () => {
    const node = await newNode()
    await provision(node, 'manage')
    await refuse(site.commands()[0]!)
    expect(await states(node)).toMatchObject({ provision_state: 'enroll', last_error: last_error('run') })
    expect(await getNode(cloud.platform.table, node)).toMatchObject({ operation: null })
  })

  it('ends a change of power as well', async () => {
    const node = await available()
    await cloud.client.nodes.power(node, 'power on')
    await cloud.settle()
    await refuse(site.commands().at(-1)!)
    const after = await cloud.client.nodes.get(node)
    expect(after).toMatchObject({ target_power_state: null, last_error: last_error('run') })
  })

  it('is said where it was for no operation, and ends none', async () => {
    const node = await available()
    await cloud.client.nodes.patch(node, [{ op: 'add', path: '/driver_info/ipmi_address', value: '192.0.2.99' }])
    await cloud.settle()
    const watch = site.commands().at(-1)!
    await provision(node, 'manage')
    await cloud.client.nodes.power(node, 'power on')
    await cloud.settle()
    await refuse(watch)
    expect(await cloud.client.nodes.get(node)).toMatchObject({
      target_power_state: 'power on',
      last_error: last_error('watch'),
    })
  })
})
