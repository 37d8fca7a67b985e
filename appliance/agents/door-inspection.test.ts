import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openAgentRows } from '../ledger/agents.ts'
import { openLedger, type Ledger } from '../ledger/ledger.ts'
import { openMachines } from '../ledger/machines.ts'
import { openVault } from '../ledger/vault.ts'
import { ManualClock } from '../testing/manual-clock.ts'
import { memoryLog } from '../testing/memory-log.ts'
import { machine, port } from '../testing/plans.ts'
import { openOutbox, type Outbox } from '../ledger/outbox.ts'
import { openDiscoveries } from './discovered.ts'
import { agentDoor, type DoorParts } from './door.ts'
import { type PostedInventories, postedInventories } from './posted.ts'

const one = machine({ driver_info: { ipmi_address: '10.30.0.5' }, ports: [port('52:54:00:00:00:01')] })
const two = machine({
  driver_info: { redfish_address: 'https://10.30.0.6/redfish/v1' },
  ports: [port('52:54:00:00:00:02')],
})
let ledger: Ledger
let inspected: Set<string>
let posted: PostedInventories
let parts: () => DoorParts
let door: ReturnType<typeof agentDoor>

beforeEach(() => {
  ledger = openLedger(':memory:')
  const machines = openMachines(ledger, () => 'boot token')
  for (const each of [one, two]) machines.learn(each, 1)
  inspected = new Set([one.node, two.node])
  posted = postedInventories((node) => inspected.has(node))
  parts = () => ({
    machines,
    rows: openAgentRows(ledger, openVault('key')),
    clock: new ManualClock(),
    token: () => 'a-token-of-at-least-thirty-two-letters',
    events: { seen: () => {} },
    expectsAgent: () => true,
    posted,
    log: memoryLog(),
  })
  door = agentDoor(parts())
})
afterEach(() => ledger.close())

const inventory = (macs: unknown[], more = {}) => ({
  interfaces: macs.map((mac_address) => ({ name: 'eth0', mac_address })),
  cpu: { count: 4 },
  ...more,
})
const post = async (body: unknown, version?: string, query = '') => {
  const headers: Record<string, string> = version ? { 'X-OpenStack-Ironic-API-Version': version } : {}
  const reply = await door.request(`/v1/continue_inspection${query}`, {
    method: 'POST',
    headers,
    body: typeof body === 'string' ? body : JSON.stringify(body),
  })
  return { status: reply.status, body: (await reply.json()) as Record<string, unknown> }
}

describe('a ramdisk that posts its inventory', () => {
  it('is told which node it is, and what it found is kept for the plan, once', async () => {
    const of = inventory(['52-54-00-00-00-01', null])
    const reply = await post({ inventory: of, root_disk: { name: '/dev/sda' }, logs: 'tar' })
    expect(reply).toEqual({ status: 202, body: { uuid: one.node } })
    expect(posted.take(one.node)).toEqual({ inventory: of, plugin_data: { root_disk: { name: '/dev/sda' } } })
    expect(posted.take(one.node)).toBeUndefined()
  })

  it('from 1.84 on gets what lookup would tell it, and may say who it is', async () => {
    const reply = await post({ inventory: inventory(['02:00:00:00:00:09']) }, '1.84', `?node_uuid=${two.node}`)
    expect(reply).toMatchObject({
      status: 202,
      body: { node: { uuid: two.node }, config: { agent_token: 'a-token-of-at-least-thirty-two-letters' } },
    })
  })

  it.each([
    ['10.30.0.5', one],
    ['10.30.0.6', two],
  ])('with unknown cards is known by its BMC %s', async (bmc_address, { node }) => {
    expect((await post({ inventory: inventory(['02:00:00:00:00:09'], { bmc_address }) })).body).toEqual({ uuid: node })
  })

  it.each([
    ['of the versions between', { inventory: inventory(['52:54:00:00:00:01']) }, '1.50', 404],
    ['that nobody knows', { inventory: inventory(['02:00:00:00:00:09'], { bmc_address: '0.0.0.0' }) }, undefined, 404],
    ['with cards of two nodes', { inventory: inventory(['52:54:00:00:00:01', '52:54:00:00:00:02']) }, undefined, 404],
    ['without a card', { inventory: inventory([]) }, undefined, 400],
    ['without an inventory', { cpu: 4 }, undefined, 400],
    ['with nonsense', '{', undefined, 400],
    ['with too much', { inventory: inventory(['52:54:00:00:00:01'], { disks: 'x'.repeat(60_000) }) }, undefined, 400],
  ])('%s is refused', async (_, body, version, status) => {
    expect((await post(body, version)).status).toBe(status)
    expect(posted.take(one.node)).toBeUndefined()
  })

  it('that nobody inspects is refused', async () => {
    inspected.delete(one.node)
    expect((await post({ inventory: inventory(['52:54:00:00:00:01']) })).status).toBe(404)
  })
})

describe('where the site discovers machines, one that no node knows', () => {
  const stranger = { inventory: inventory(['02:00:00:00:00:09', '02:00:00:00:00:08']), root_disk: { name: '/dev/sda' } }
  let outbox: Outbox
  let clock: ManualClock
  beforeEach(() => {
    clock = new ManualClock()
    let made = 0
    const uuid = () => `0000000a-0000-4000-8000-${String((made += 1)).padStart(12, '0')}`
    outbox = openOutbox(ledger, () => clock.now(), uuid)
    door = agentDoor({ ...parts(), discoveries: openDiscoveries(outbox, uuid, () => clock.now()) })
  })
  const told = () => outbox.pending(0, 2000).filter(({ kind }) => kind === 'discovered')

  it('is told to the cloud once, and told which node it will be however often it asks', async () => {
    const first = await post({ ...stranger, logs: 'tar' })
    expect(first).toEqual({ status: 202, body: { uuid: expect.any(String) } })
    expect(await post(stranger)).toEqual(first)
    expect(told()).toMatchObject([
      { node: first.body['uuid'], inventory: stranger.inventory, plugin_data: { root_disk: { name: '/dev/sda' } } },
    ])
    expect(told()[0]).not.toHaveProperty('plugin_data.logs')
  })

  it('is told again when it comes back later, for its node may have been deleted', async () => {
    await post(stranger)
    await clock.advance(600_000)
    await post(stranger)
    expect(told()).toHaveLength(2)
  })

  it('is refused when it says too much, has no address, names a node, or is one of a flood', async () => {
    const refused = async (body: unknown, query = '') => (await post(body, query && '1.84', query)).status
    expect(await refused({ inventory: inventory(['02:00:00:00:00:09'], { disks: 'x'.repeat(60_000) }) })).toBe(400)
    expect(await refused({ inventory: inventory(['lo', null]) })).toBe(404)
    expect(await refused(stranger, '?node_uuid=0000000b-0000-4000-8000-000000000001')).toBe(404)
    for (let at = 0; at < 1024; at += 1)
      await post({ inventory: inventory([`02:00:00:00:${hex(at >> 8)}:${hex(at & 0xff)}`]) })
    expect(await refused({ inventory: inventory(['02:00:00:01:00:00']) })).toBe(404)
    expect(told()).toHaveLength(1024)
  })

  it('is no stranger where it has a card or the BMC of a node', async () => {
    expect((await post({ inventory: inventory(['02:00:00:00:00:09', '52:54:00:00:00:01']) })).body).toEqual({
      uuid: one.node,
    })
    inspected.clear()
    expect((await post({ inventory: inventory(['02:00:00:00:00:09'], { bmc_address: '10.30.0.5' }) })).status).toBe(404)
    expect(told()).toEqual([])
  })
})

const hex = (byte: number): string => byte.toString(16).padStart(2, '0')
