import { UserError } from '../../contract/api/faults.ts'
import type { Node, Site } from '../../contract/resources.ts'
import type { Call, Ground, Service } from '../openstack/context.ts'
import { asked } from '../openstack/listing.ts'
import { requireAdmin } from '../openstack/rights.ts'
import { getNode, listNodes, nodeList } from '../store/nodes.ts'
import { all, valuesIn } from '../store/paging.ts'
import { PATH } from './path.ts'
import { zonesOfAggregates } from './wish.ts'

/** What there is to put servers on: sites are availability zones, nodes are hypervisors. */
export function fleetRoutes(app: Service, ground: Ground): void {
  const { table } = ground
  const zones = async (): Promise<Array<[string, string[]]>> => {
    const sites = await all<Site>(table, { index: 'all', pk: 'sites' })
    return [...sites.map(({ name }): [string, string[]] => [name, [name]]), ...(await zonesOfAggregates(table))]
  }
  app.get(`${PATH}/os-availability-zone`, async (call) =>
    call.json({
      availabilityZoneInfo: (await zones()).map(([zoneName]) => ({
        zoneName,
        zoneState: { available: true },
        hosts: null,
      })),
    }),
  )
  app.get(`${PATH}/os-availability-zone/detail`, async (call) => {
    requireAdmin(call, 'os_compute_api:os-availability-zone:detail')
    const service = { active: true, available: true, updated_at: null }
    return call.json({
      availabilityZoneInfo: (await zones()).map(([zoneName, hosts]) => ({
        zoneName,
        zoneState: { available: true },
        hosts: Object.fromEntries(hosts.map((host) => [host, { 'nova-compute': service }])),
      })),
    })
  })
  app.get(`${PATH}/os-hypervisors/statistics`, async (call) => {
    requireAdmin(call, 'os_compute_api:os-hypervisors:statistics')
    const statistics: Record<string, number> = { count: 0 }
    for await (const node of valuesIn<Node>(table, nodeList({}))) {
      statistics['count'] = (statistics['count'] ?? 0) + 1
      for (const [name, value] of Object.entries(capacityOf(node))) statistics[name] = (statistics[name] ?? 0) + value
    }
    return call.json({ hypervisor_statistics: statistics })
  })
  const hypervisors = async (call: Call, detailed: boolean): Promise<Response> => {
    requireAdmin(call, 'os_compute_api:os-hypervisors:list')
    const { limit, marker, filters } = asked(call)
    const after = marker === undefined ? undefined : await getNode(table, marker)
    if (marker !== undefined && !after) throw new UserError(400, `marker [${marker.slice(0, 64)}] not found`)
    const [pattern] = filters['hypervisor_hostname_pattern'] ?? []
    const keep = ({ uuid, name }: Node): boolean =>
      pattern === undefined || uuid.includes(pattern) || (name ?? '').includes(pattern)
    const { values, marker: last } = await listNodes(table, {}, { limit, keep, ...(after ? { after } : {}) })
    const next = last && `${call.var.base}${PATH}/os-hypervisors?limit=${limit}&marker=${last.uuid}`
    return call.json({
      hypervisors: values.map((node) => (detailed ? detail(call, node) : brief(call, node))),
      ...(next ? { hypervisors_links: [{ rel: 'next', href: next }] } : {}),
    })
  }
  app.get(`${PATH}/os-hypervisors`, (call) => hypervisors(call, false))
  app.get(`${PATH}/os-hypervisors/detail`, (call) => hypervisors(call, true))
  app.get(`${PATH}/os-hypervisors/:node`, async (call) => {
    requireAdmin(call, 'os_compute_api:os-hypervisors:show')
    const id = call.req.param('node')
    const node = await getNode(table, id)
    if (!node) throw new UserError(404, `Compute host ${id} could not be found.`)
    return call.json({ hypervisor: detail(call, node) })
  })
  app.get(`${PATH}/os-hypervisors/:node/uptime`, () => {
    throw new UserError(501, 'Virt driver does not implement uptime function.')
  })
  app.get(`${PATH}/extensions`, (call) => call.json({ extensions: [] }))
}

function brief(call: Call, { uuid, maintenance }: Node) {
  return {
    id: call.var.minor >= 53 ? uuid : Number.parseInt(uuid.slice(0, 7), 16),
    hypervisor_hostname: uuid,
    state: 'up',
    status: maintenance ? 'disabled' : 'enabled',
  }
}

function detail(call: Call, node: Node) {
  const { name, conductor_group: site, properties, instance_uuid: instance } = node
  const cpu = { arch: properties['cpu_arch'] ?? null }
  return {
    ...brief(call, node),
    hypervisor_type: 'ironic',
    hypervisor_version: 1,
    host_ip: null,
    service: { id: site, host: site, disabled_reason: node.maintenance_reason },
    servers: instance === null ? [] : [{ uuid: instance, name: node.instance_name ?? instance }],
    cpu_info: call.var.minor >= 28 ? cpu : JSON.stringify(cpu),
    // Of a machine nobody asks it; the client's `hypervisor show` bears no null.
    ...(call.var.minor >= 88 ? { uptime: '' } : capacityOf(node)),
    description: name,
  }
}

/** A machine is one server's, whole. */
function capacityOf({ properties, instance_uuid: instance }: Node) {
  const number = (value: unknown): number => (Number.isFinite(Number(value)) ? Number(value) : 0)
  const [vcpus, memory, disk] = ['cpus', 'memory_mb', 'local_gb'].map((name) => number(properties[name])) as [
    number,
    number,
    number,
  ]
  const used = instance === null ? 0 : 1
  return {
    vcpus,
    vcpus_used: used * vcpus,
    memory_mb: memory,
    memory_mb_used: used * memory,
    free_ram_mb: (1 - used) * memory,
    local_gb: disk,
    local_gb_used: used * disk,
    free_disk_gb: (1 - used) * disk,
    disk_available_least: (1 - used) * disk,
    running_vms: used,
    current_workload: 0,
  }
}
