import { UserError } from '../../contract/api/faults.ts'
import type { Server } from '../../contract/compute.ts'
import type { Call, Ground, Service } from '../openstack/context.ts'
import { isAdmin, requireAdmin } from '../openstack/rights.ts'
import { all } from '../store/paging.ts'
import { PATH } from './path.ts'
import { type PastServer, pastServers } from './past-servers.ts'
import { serversFor } from './store.ts'

const HOUR = 3_600_000
const DEFAULT_DAYS = 28

/** How long servers have run, times what they have: those that are there, and those that were. */
export function usageRoutes(app: Service, ground: Ground): void {
  const path = `${PATH}/os-simple-tenant-usage`
  app.get(path, async (call) => {
    requireAdmin(call, 'os_compute_api:os-simple-tenant-usage:list')
    const span = spanOf(call, ground)
    const servers = await countedIn(ground, span)
    const detailed = call.req.query('detailed') === '1'
    const projects = Map.groupBy(servers, ({ project_id: project }) => project)
    return call.json({
      tenant_usages: [...projects].map(([project, own]) => {
        const { server_usages, ...sums } = usageOf(project, own, span)
        return detailed ? { ...sums, server_usages } : sums
      }),
    })
  })
  app.get(`${path}/:project`, async (call) => {
    const project = call.req.param('project')
    if (!isAdmin(call) && call.var.caller.project?.id !== project)
      throw new UserError(403, "Policy doesn't allow os_compute_api:os-simple-tenant-usage:show to be performed.")
    const span = spanOf(call, ground)
    const own = await countedIn(ground, span, project)
    return call.json({ tenant_usage: own.length === 0 ? {} : usageOf(project, own, span) })
  })
}

type Counted = Omit<PastServer, 'ended_at'> & { ended_at?: string }

async function countedIn({ table }: Ground, { start }: Span, project?: string): Promise<Counted[]> {
  const list = project === undefined ? { index: 'all' as const, pk: 'servers' } : serversFor(project)
  const [past, present] = await Promise.all([pastServers(table, new Date(start), project), all<Server>(table, list)])
  return [...past, ...present]
}

interface Span {
  start: number
  stop: number
}

function spanOf(call: Call, { clock }: Ground): Span {
  const now = clock.now().getTime()
  const { start, end } = call.req.query()
  const at = (text: string | undefined, otherwise: number): number => {
    if (text === undefined) return otherwise
    const instant = Date.parse(/[zZ]$/.test(text) ? text : `${text}Z`)
    if (Number.isNaN(instant)) throw new UserError(400, `Datetime is in invalid format: ${text.slice(0, 64)}`)
    return instant
  }
  const stop = Math.min(at(end, now), now)
  return { start: at(start, stop - DEFAULT_DAYS * 24 * HOUR), stop }
}

/** Exported for its test. */
export function usageOf(project: string, servers: readonly Counted[], { start, stop }: Span) {
  const usages = servers.flatMap((server) => {
    const { uuid, name, flavor, launched_at, ended_at } = server
    if (launched_at === null) return []
    const begun = Date.parse(launched_at)
    const end = ended_at === undefined ? stop : Math.min(stop, Date.parse(ended_at))
    if (begun > stop || end < start) return []
    const hours = (end - Math.max(start, begun)) / HOUR
    const uptime = Math.round((end - begun) / 1000)
    const state = ended_at === undefined ? server.state : 'terminated'
    const { vcpus, ram: memory_mb, disk: local_gb } = flavor
    const made = { instance_id: uuid, name, flavor: flavor.name, tenant_id: project, state, uptime }
    return [
      {
        ...made,
        hours,
        vcpus,
        memory_mb,
        local_gb,
        started_at: launched_at.slice(0, -1),
        ended_at: ended_at?.slice(0, -1) ?? null,
      },
    ]
  })
  const sum = (of: (usage: (typeof usages)[number]) => number): number =>
    usages.reduce((total, each) => total + of(each) * each.hours, 0)
  return {
    tenant_id: project,
    start: iso(start),
    stop: iso(stop),
    total_hours: sum(() => 1),
    total_vcpus_usage: sum(({ vcpus }) => vcpus),
    total_memory_mb_usage: sum(({ memory_mb }) => memory_mb),
    total_local_gb_usage: sum(({ local_gb }) => local_gb),
    server_usages: usages,
  }
}

const iso = (instant: number): string => new Date(instant).toISOString().slice(0, -1)
