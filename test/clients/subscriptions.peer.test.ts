import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Fleet } from '../rack/paper/fleet.ts'
import { cloudHere, type CloudHere } from '../scenarios/cloud-here.ts'
import { OpenStackShell } from './openstack-shell.ts'
import { python, type Teller } from './teller.ts'

/** Ironic's synchronous vendor methods by OpenStack's clients, unmodified, down to a BMC that speaks Redfish. */

describe('event subscriptions of a BMC', () => {
  let cloud: CloudHere
  let fleet: Fleet
  let library: Teller
  let shell: OpenStackShell
  beforeAll(async () => {
    cloud = await cloudHere()
    fleet = new Fleet({ endpoint: cloud.endpoint, sites: 1, machinesPerSite: 1, speed: 1, drivers: ['redfish'] })
    await fleet.join()
    await fleet.bring(fleet.members, 'manage', 'manageable', 60_000)
    const settings = { OS_AUTH_TYPE: 'none', OS_ENDPOINT: cloud.endpoint }
    library = python('subscriptions.py', settings)
    shell = new OpenStackShell(settings)
  }, 120_000)
  afterAll(async () => {
    library?.[Symbol.dispose]()
    shell?.[Symbol.dispose]()
    await fleet?.tearDown()
    await cloud?.stopAndForget()
  })

  it.each(['makes shows and deletes', 'is refused in words'])(
    'openstacksdk %s',
    async (story) => {
      expect(await library.ask(story)).toBeNull()
    },
    120_000,
  )

  it('the command line lists the methods, makes a subscription and shows all', async () => {
    const passthru = async (...args: string[]) => {
      const said = await shell.run(['baremetal', 'node', 'passthru', ...args])
      expect([said.code, said.stderr]).toEqual([0, ''])
      return said.stdout
    }
    const { uuid, machine } = fleet.members[0]!
    expect(await passthru('list', uuid)).toMatch(/create_subscription.*POST.*False/)
    await passthru('call', uuid, 'create_subscription', '--arg', 'Destination=https://events.example/')
    expect([...machine.redfish.subscriptions.values()]).toMatchObject([{ destination: 'https://events.example/' }])
    expect(await passthru('call', '--http-method', 'GET', uuid, 'get_all_subscriptions')).toMatch(/Subscriptions/)
  }, 120_000)
})
