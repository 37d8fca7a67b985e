import { UserError } from '../../contract/api/faults.ts'
import type { Network, Segment } from '../../contract/network.ts'
import { readJson } from '../api/body.ts'
import type { Call, Ground, Service } from '../openstack/context.ts'
import { asked, matches } from '../openstack/listing.ts'
import { requireAdmin } from '../openstack/rights.ts'
import { ConflictError, type Write } from '../platform.ts'
import { all } from '../store/paging.ts'
import { segmentCreation, segmentUpdate } from './input.ts'
import { changed, defined, networkOf, PATH } from './networks.ts'
import { ownSegment, segmentsOf } from './segment-places.ts'
import { networkStore, segmentStore, subnetsOf } from './store.ts'
import { segmentView } from './views.ts'

/** So that a network goes with all of them in one transaction. */
const MOST_SEGMENTS = 30

/** Neutron's segments: a network's wires at each site. For administrators, as there. */
export function segmentRoutes(app: Service, ground: Ground): void {
  const { table, clock, ids, log } = ground
  const path = `${PATH}/segments`
  app.get(path, async (call) => {
    requireAdmin(call, 'get_segment')
    const { filters } = asked(call)
    const networks = await all<Network>(table, { index: 'all', pk: 'networks' })
    const segments = (await Promise.all(networks.map((each) => segmentsOf(table, each)))).flat()
    return call.json({ segments: segments.map(segmentView).filter((each) => matches(each, filters)) })
  })
  app.post(path, async (call) => {
    requireAdmin(call, 'create_segment')
    const given = segmentCreation.parse(await readJson(call)).segment
    const network = await networkOf(call, ground, given.network_id)
    const vlan = given.segmentation_id ?? null
    if ((given.network_type === 'vlan') !== (vlan !== null))
      throw new UserError(400, 'A segment of type vlan needs segmentation_id, and one of type flat has none.')
    const others = await segmentsOf(table, network)
    if (others.some(({ physical_network: on }) => on === given.physical_network))
      throw new UserError(
        409,
        `Network ${network.uuid} has a segment on physical network ${given.physical_network} already.`,
      )
    if (others.length >= MOST_SEGMENTS)
      throw new UserError(409, `Network ${network.uuid} has ${MOST_SEGMENTS} segments already, which is the most.`)
    const segment: Segment = {
      uuid: ids.uuid(),
      name: given.name ?? '',
      description: given.description ?? '',
      project_id: network.project_id,
      tags: [],
      network_uuid: network.uuid,
      physical_network: given.physical_network,
      vlan,
      created_at: clock.now().toISOString(),
      updated_at: null,
      version: 1,
    }
    await writeNamed(network, [...(network.segments ?? []), segment.uuid], segmentStore.writes(undefined, segment))
    log.info({ segment: segment.uuid, network: network.uuid, on: segment.physical_network }, 'segment created')
    return call.json({ segment: segmentView(segment) }, 201)
  })
  app.get(`${path}/:segment`, async (call) => {
    requireAdmin(call, 'get_segment')
    return call.json({ segment: segmentView((await segmentOf(call)).segment) })
  })
  app.put(`${path}/:segment`, async (call) => {
    requireAdmin(call, 'update_segment')
    const { segment: before, network } = await segmentOf(call)
    const given = defined(segmentUpdate.parse(await readJson(call)).segment)
    const stamp = { updated_at: clock.now().toISOString(), version: before.version + 1 }
    const after: Segment = { ...before, ...given, ...stamp }
    const isOwn = before.uuid === network.uuid
    const isSaved = isOwn
      ? await networkStore.save(table, network, { ...network, segment: { ...network.segment, ...given }, ...stamp })
      : await segmentStore.save(table, before, after)
    if (!isSaved) throw changed('Segment', before.uuid)
    return call.json({ segment: segmentView(after) })
  })
  app.delete(`${path}/:segment`, async (call) => {
    requireAdmin(call, 'delete_segment')
    const { segment, network } = await segmentOf(call)
    const subnet = (await subnetsOf(table, network)).find((each) => each.segment_uuid === segment.uuid)
    const why = subnet
      ? `the segment is still associated with subnet(s) '${subnet.uuid}'`
      : segment.uuid === network.uuid
        ? "it is its network's own, and goes with that"
        : undefined
    if (why) throw new UserError(409, `Segment '${segment.uuid}' cannot be deleted: ${why}.`)
    const others = (network.segments ?? []).filter((uuid) => uuid !== segment.uuid)
    await writeNamed(network, others, segmentStore.writes(segment, undefined))
    log.info({ segment: segment.uuid, network: network.uuid }, 'segment deleted')
    return call.body(null, 204)
  })

  /** A network names its segments: who puts a subnet or another segment on it at the same moment looks again. */
  async function writeNamed(network: Network, segments: string[], writes: Write[]): Promise<void> {
    const after = { ...network, segments, version: network.version + 1 }
    await table.write([...writes, ...networkStore.writes(network, after)]).catch((error: unknown) => {
      throw error instanceof ConflictError ? changed('Network', network.uuid) : error
    })
  }

  async function segmentOf(call: Call): Promise<{ segment: Segment; network: Network }> {
    const id = call.req.param('segment') ?? ''
    const own = await networkStore.get(table, id)
    if (own) return { segment: ownSegment(own), network: own }
    const segment = await segmentStore.get(table, id)
    const network = segment && (await networkStore.get(table, segment.network_uuid))
    if (!segment || !network) throw new UserError(404, `Segment ${id} could not be found.`)
    return { segment, network }
  }
}
