import { z } from 'zod'
import { UserError } from '../../contract/api/faults.ts'
import type { Aggregate } from '../../contract/compute.ts'
import { readJson } from '../api/body.ts'
import type { Call, Ground, Service } from '../openstack/context.ts'
import { requireAdmin } from '../openstack/rights.ts'
import { ConflictError, type Platform } from '../platform.ts'
import { findNode } from '../store/nodes.ts'
import { all } from '../store/paging.ts'
import { getSite } from '../store/sites.ts'
import { PATH } from './path.ts'
import { AGGREGATES, aggregateStore } from './store.ts'

/** Aggregates: nodes, by uuid or name, and whole sites, that administrators put together. */

const MOST_HOSTS = 2000
const name = z.string().trim().min(1).max(255)
const zone = z.string().trim().min(1).max(255).nullish()
const creation = z.object({ aggregate: z.strictObject({ name, availability_zone: zone }) })
const update = z.object({ aggregate: z.strictObject({ name: name.optional(), availability_zone: zone }) })
const host = z.strictObject({ host: z.string().min(1).max(255) })
const metadata = z.strictObject({ metadata: z.record(z.string().min(1).max(255), z.string().max(255).nullable()) })
const action = z.union([
  z.strictObject({ add_host: host }),
  z.strictObject({ remove_host: host }),
  z.strictObject({ set_metadata: metadata }),
])

export function aggregateRoutes(app: Service, ground: Ground): void {
  const { table, clock, ids, log } = ground
  const path = `${PATH}/os-aggregates`
  app.get(path, async (call) => {
    requireAdmin(call, 'os_compute_api:os-aggregates:index')
    const aggregates = await all<Aggregate>(table, AGGREGATES)
    return call.json({ aggregates: aggregates.map((each) => view(call, each)) })
  })
  app.post(path, async (call) => {
    requireAdmin(call, 'os_compute_api:os-aggregates:create')
    const given = creation.parse(await readJson(call)).aggregate
    const id = await nextNumber(ground)
    const aggregate: Aggregate = {
      uuid: ids.uuid(),
      id,
      name: given.name,
      metadata: given.availability_zone ? { availability_zone: given.availability_zone } : {},
      hosts: [],
      created_at: clock.now().toISOString(),
      updated_at: null,
      version: 1,
    }
    if (given.availability_zone) await requireZoneName(ground, given.availability_zone)
    await aggregateStore.save(table, undefined, aggregate)
    log.info({ aggregate: id, name: aggregate.name }, 'aggregate created')
    return call.json({ aggregate: view(call, aggregate) })
  })
  app.get(`${path}/:aggregate`, async (call) => {
    requireAdmin(call, 'os_compute_api:os-aggregates:show')
    return call.json({ aggregate: view(call, await aggregateOf(ground, call.req.param('aggregate'))) })
  })
  app.put(`${path}/:aggregate`, async (call) => {
    requireAdmin(call, 'os_compute_api:os-aggregates:update')
    const given = update.parse(await readJson(call)).aggregate
    if (given.availability_zone) await requireZoneName(ground, given.availability_zone)
    const after = await changeAggregate(ground, call.req.param('aggregate'), (before) => ({
      name: given.name ?? before.name,
      ...(given.availability_zone
        ? { metadata: { ...before.metadata, availability_zone: given.availability_zone } }
        : {}),
    }))
    return call.json({ aggregate: view(call, after) })
  })
  app.delete(`${path}/:aggregate`, async (call) => {
    requireAdmin(call, 'os_compute_api:os-aggregates:delete')
    const aggregate = await aggregateOf(ground, call.req.param('aggregate'))
    if (aggregate.hosts.length > 0)
      throw new UserError(409, `Cannot remove host aggregate ${aggregate.id}: it has hosts, remove them first.`)
    await aggregateStore.remove(table, aggregate)
    return call.body(null, 200)
  })
  app.post(`${path}/:aggregate/images`, () => {
    throw new UserError(501, 'Images are fetched to sites, not to aggregates: bloomery image prefetch.')
  })
  app.post(`${path}/:aggregate/action`, async (call) => {
    requireAdmin(call, 'os_compute_api:os-aggregates:update')
    const given = action.parse(await readJson(call))
    const change = await changeFor(ground, given)
    const after = await changeAggregate(ground, call.req.param('aggregate'), change)
    return call.json({ aggregate: view(call, after) })
  })
}

type Change = (before: Aggregate) => Partial<Aggregate>

async function changeFor(ground: Ground, given: z.infer<typeof action>): Promise<Change> {
  if ('set_metadata' in given) {
    const entries = Object.entries(given.set_metadata.metadata)
    const zoneName = given.set_metadata.metadata['availability_zone']
    if (zoneName) await requireZoneName(ground, zoneName)
    return ({ metadata: before }) => {
      const after = { ...before }
      for (const [key, value] of entries) {
        if (value === null) delete after[key]
        else after[key] = value
      }
      return { metadata: after }
    }
  }
  if ('remove_host' in given) {
    const ident = given.remove_host.host
    const node = await findNode(ground.table, ident)
    return ({ id, hosts }) => {
      const kept = hosts.filter((each) => each !== ident && each !== node?.uuid)
      if (kept.length === hosts.length) throw new UserError(404, `Aggregate ${id} has no host ${ident}.`)
      return { hosts: kept }
    }
  }
  const ident = given.add_host.host
  const site = await getSite(ground.table, ident)
  const found = site?.name ?? (await findNode(ground.table, ident))?.uuid
  if (found === undefined) throw new UserError(404, `Compute host ${ident} could not be found: name a node or a site.`)
  return ({ id, hosts }) => {
    if (hosts.includes(found)) throw new UserError(409, `Aggregate ${id} already has host ${ident}.`)
    if (hosts.length === MOST_HOSTS)
      throw new UserError(413, `An aggregate has at most ${MOST_HOSTS} hosts: add sites.`)
    return { hosts: [...hosts, found] }
  }
}

async function changeAggregate(ground: Ground, ident: string, change: Change): Promise<Aggregate> {
  for (let attempt = 0; attempt < 20; attempt += 1) {
    const before = await aggregateOf(ground, ident)
    const after = {
      ...before,
      ...change(before),
      updated_at: ground.clock.now().toISOString(),
      version: before.version + 1,
    }
    if (await aggregateStore.save(ground.table, before, after)) return after
  }
  throw new UserError(409, `Aggregate ${ident} is being changed by many at once, please retry.`)
}

/** A site's name is the site's zone. */
async function requireZoneName({ table }: Pick<Platform, 'table'>, name: string): Promise<void> {
  if (await getSite(table, name)) throw new UserError(409, `Availability zone ${name} is that of the site ${name}.`)
}

/** Clients name aggregates by number. */
async function nextNumber({ table }: Pick<Platform, 'table'>): Promise<number> {
  const key = { pk: 'aggregate-number', sk: 'aggregate-number' }
  for (let attempt = 0; attempt < 20; attempt += 1) {
    const before = await table.get(key)
    const version = (before?.version ?? 0) + 1
    try {
      await table.write([{ put: { ...key, version, value: {} }, expect: before?.version ?? 'absent' }])
      return version
    } catch (error) {
      if (!(error instanceof ConflictError)) throw error
    }
  }
  throw new UserError(409, 'Aggregates are being made by many at once, please retry.')
}

async function aggregateOf({ table }: Pick<Platform, 'table'>, ident: string): Promise<Aggregate> {
  const found = (await all<Aggregate>(table, AGGREGATES)).find(
    (each) => String(each.id) === ident || each.uuid === ident,
  )
  if (!found) throw new UserError(404, `Aggregate ${ident.slice(0, 64)} could not be found.`)
  return found
}

function view(call: Call, { id, uuid, name: own, metadata: said, hosts, created_at, updated_at }: Aggregate) {
  return {
    id,
    ...(call.var.minor >= 41 ? { uuid } : {}),
    name: own,
    availability_zone: said['availability_zone'] ?? null,
    metadata: said,
    hosts,
    created_at,
    updated_at,
    deleted: false,
    deleted_at: null,
  }
}
