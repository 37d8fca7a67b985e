import { readFileSync } from 'node:fs'
import { describe, expect, it, vi } from 'vitest'
import { getAppliance } from '../../lambdas/store/appliances.ts'
import { alive } from './control-plane.ts'
import { available, cloud, newNode, provision, site, states } from './one-site.ts'

/** As if these steps were younger than the appliance of the golden message. */
const newer = ['management.reset_bmc', 'management.inject_nmi']
vi.mock('../../contract/first-names.ts', async (original) => {
  const { firstNames } = await original<{ firstNames: readonly string[] }>()
  return { firstNames: firstNames.filter((name) => !['management.reset_bmc', 'management.inject_nmi'].includes(name)) }
})

const golden = JSON.parse(
  readFileSync(new URL('../../contract/golden/v1/uplink-alive.json', import.meta.url), 'utf8'),
) as object
const hello = (features?: string[]): Promise<void> =>
  cloud.uplink(site.uuid, { ...golden, commands_through: 0, hello: true, ...(features && { features }) })
const words = 'Appliance box-1 (software 0.1.0) does not know management'

describe('an appliance that says nothing of what it knows', () => {
  const clean_steps = [{ interface: 'management', step: 'reset_bmc' }]
  async function manageable(): Promise<string> {
    const node = await newNode()
    await provision(node, 'manage')
    await site.carryOut(node)
    return node
  }

  it('is not sent a step that is younger: the request for it is refused, and nothing has begun', async () => {
    const node = await manageable()
    await hello()
    const sent = site.commands().length
    await expect(cloud.client.nodes.provision(node, 'clean', { clean_steps })).rejects.toMatchObject({
      status: 409,
      message: `${words}.reset_bmc: update it.`,
    })
    expect(await states(node)).toMatchObject({ provision_state: 'manageable', last_error: null })
    expect(site.commands()).toHaveLength(sent)
  })

  it('what the cloud plans by itself ends at once, saying what to do', async () => {
    const node = await available()
    await hello()
    const sent = site.commands().length
    await cloud.client.nodes.injectNmi(node)
    await cloud.settle()
    const after = await cloud.client.nodes.get(node)
    expect(after).toMatchObject({
      last_error: expect.stringContaining(`${words}.inject_nmi: update it`),
      reservation: null,
    })
    expect(site.commands()).toHaveLength(sent)
  })

  it('is sent everything else', async () => {
    await hello()
    expect(await states(await available())).toMatchObject({ provision_state: 'available' })
  })

  it('is sent it as soon as it says that it knows it, until one that does not takes its place', async () => {
    const node = await manageable()
    await hello(newer)
    await alive(cloud, site.uuid)
    expect(await getAppliance(cloud.platform.table, site.uuid)).toMatchObject({ features: newer })
    await provision(node, 'clean', { clean_steps })
    expect(await states(node)).toMatchObject({ provision_state: 'cleaning' })
    expect(JSON.stringify(site.commands().at(-1))).toContain('reset_bmc')
    await hello()
    expect(await getAppliance(cloud.platform.table, site.uuid)).not.toHaveProperty('features')
  })
})
