import { z } from 'zod'
import { UserError } from '../../contract/api/faults.ts'
import type { Flavor } from '../../contract/compute.ts'
import { readJson } from '../api/body.ts'
import type { Call, Ground, Service } from '../openstack/context.ts'
import { asked, nextLink, pageOf } from '../openstack/listing.ts'
import { isAdmin, requireAdmin } from '../openstack/rights.ts'
import { PATH } from './path.ts'
import { flavorStore } from './store.ts'

const size = z.coerce
  .number()
  .int()
  .nonnegative()
  .max(2 ** 31 - 1)
const creation = z.object({
  flavor: z.strictObject({
    name: z.string().trim().min(1).max(255),
    id: z
      .string()
      .regex(/^[A-Za-z0-9. _-]{1,255}$/, 'letters, digits, and . _ - and spaces')
      .nullish(),
    vcpus: size.min(1),
    ram: size.min(1),
    disk: size,
    'OS-FLV-EXT-DATA:ephemeral': size.default(0),
    swap: z.union([size, z.literal('').transform(() => 0)]).default(0),
    rxtx_factor: z.coerce.number().positive().max(1e6).default(1),
    'os-flavor-access:is_public': z.boolean().default(true),
    description: z.string().max(65_535).nullish(),
  }),
})
const update = z.object({ flavor: z.strictObject({ description: z.string().max(65_535).nullable() }) })
const specs = z.record(z.string().regex(/^[A-Za-z0-9:_. -]{1,255}$/), z.coerce.string().max(255))

export function flavorRoutes(app: Service, ground: Ground): void {
  const { table, clock, ids, log } = ground
  const path = `${PATH}/flavors`
  const list = async (call: Call, detailed: boolean): Promise<Response> => {
    const query = asked(call)
    const { is_public: isPublic, minDisk = '0', minRam = '0' } = call.req.query()
    const keep = (flavor: Flavor): boolean =>
      (isPublic === undefined || /^none$/i.test(isPublic) || flavor.is_public === /^(true|1|t|yes)$/i.test(isPublic)) &&
      flavor.disk >= Number(minDisk) &&
      flavor.ram >= Number(minRam)
    const { values, next } = await pageOf(table, flavorStore, query, undefined, (each) => mayUse(call, each), keep)
    const flavors = values.map((each) =>
      detailed ? flavorView(call, each) : { id: each.uuid, name: each.name, links: links(call, each) },
    )
    const more = nextLink(call, detailed ? `${path}/detail` : path, next)
    return call.json({ flavors, ...(more.length > 0 ? { flavors_links: more } : {}) })
  }
  app.get(path, (call) => list(call, false))
  app.get(`${path}/detail`, (call) => list(call, true))
  app.post(path, async (call) => {
    requireAdmin(call, 'os_compute_api:os-flavor-manage:create')
    const given = creation.parse(await readJson(call)).flavor
    const flavor: Flavor = {
      uuid: given.id && given.id !== 'auto' ? given.id : ids.uuid(),
      name: given.name,
      vcpus: given.vcpus,
      ram: given.ram,
      disk: given.disk,
      ephemeral: given['OS-FLV-EXT-DATA:ephemeral'],
      swap: given.swap,
      rxtx_factor: given.rxtx_factor,
      is_public: given['os-flavor-access:is_public'],
      description: given.description ?? null,
      extra_specs: {},
      access: [],
      created_at: clock.now().toISOString(),
      updated_at: null,
      version: 1,
    }
    await flavorStore.save(table, undefined, flavor)
    log.info({ flavor: flavor.uuid, name: flavor.name }, 'flavor created')
    return call.json({ flavor: flavorView(call, flavor) })
  })
  app.get(`${path}/:flavor`, async (call) =>
    call.json({ flavor: flavorView(call, await flavorOf(call, ground, call.req.param('flavor'))) }),
  )
  /** Since 2.55; servers have copies of the rest. */
  app.put(`${path}/:flavor`, async (call) => {
    const { description } = update.parse(await readJson(call)).flavor
    return call.json({
      flavor: flavorView(call, await change(call, call.req.param('flavor'), () => ({ description }))),
    })
  })
  app.delete(`${path}/:flavor`, async (call) => {
    requireAdmin(call, 'os_compute_api:os-flavor-manage:delete')
    await flavorStore.remove(table, await flavorOf(call, ground, call.req.param('flavor')))
    return call.body(null, 202)
  })
  app.get(`${path}/:flavor/os-extra_specs`, async (call) =>
    call.json({ extra_specs: (await flavorOf(call, ground, call.req.param('flavor'))).extra_specs }),
  )
  app.post(`${path}/:flavor/os-extra_specs`, async (call) => {
    const { extra_specs: given } = z.strictObject({ extra_specs: specs }).parse(await readJson(call))
    const after = await change(call, call.req.param('flavor'), (flavor) => ({
      extra_specs: { ...flavor.extra_specs, ...given },
    }))
    return call.json({ extra_specs: after.extra_specs })
  })
  app.get(`${path}/:flavor/os-extra_specs/:key`, async (call) => {
    const { uuid, extra_specs } = await flavorOf(call, ground, call.req.param('flavor'))
    const key = call.req.param('key')
    if (!Object.hasOwn(extra_specs, key)) throw noSpec(uuid, key)
    return call.json({ [key]: extra_specs[key] })
  })
  app.put(`${path}/:flavor/os-extra_specs/:key`, async (call) => {
    const key = call.req.param('key')
    const given = specs.parse(await readJson(call))
    if (!Object.hasOwn(given, key) || Object.keys(given).length !== 1)
      throw new UserError(400, `The body must have the one key ${key}.`)
    await change(call, call.req.param('flavor'), ({ extra_specs }) => ({ extra_specs: { ...extra_specs, ...given } }))
    return call.json(given)
  })
  app.delete(`${path}/:flavor/os-extra_specs/:key`, async (call) => {
    const key = call.req.param('key')
    await change(call, call.req.param('flavor'), ({ uuid, extra_specs: { [key]: gone, ...rest } }) => {
      if (gone === undefined) throw noSpec(uuid, key)
      return { extra_specs: rest }
    })
    return call.body(null, 200)
  })
  app.get(`${path}/:flavor/os-flavor-access`, async (call) => {
    requireAdmin(call, 'os_compute_api:os-flavor-access')
    const { uuid, access } = await flavorOf(call, ground, call.req.param('flavor'))
    return call.json({ flavor_access: access.map((tenant_id) => ({ flavor_id: uuid, tenant_id })) })
  })
  app.post(`${path}/:flavor/action`, async (call) => {
    const tenant = z.object({ tenant: z.string().min(1).max(64) })
    const action = z.union([
      z.strictObject({ addTenantAccess: tenant }),
      z.strictObject({ removeTenantAccess: tenant }),
    ])
    const given = action.parse(await readJson(call))
    const after = await change(call, call.req.param('flavor'), ({ access }) => ({
      access:
        'addTenantAccess' in given
          ? [...new Set([...access, given.addTenantAccess.tenant])]
          : access.filter((each) => each !== given.removeTenantAccess.tenant),
    }))
    return call.json({ flavor_access: after.access.map((tenant_id) => ({ flavor_id: after.uuid, tenant_id })) })
  })

  async function change(call: Call, id: string, decide: (flavor: Flavor) => Partial<Flavor>): Promise<Flavor> {
    requireAdmin(call, 'os_compute_api:os-flavor-manage:update')
    const before = await flavorOf(call, ground, id)
    const after = { ...before, ...decide(before), updated_at: clock.now().toISOString(), version: before.version + 1 }
    if (!(await flavorStore.save(table, before, after)))
      throw new UserError(409, `Flavor ${before.name} was changed at the same moment, please retry.`)
    return after
  }
}

const noSpec = (flavor: string, key: string): UserError =>
  new UserError(404, `Flavor ${flavor} has no extra specs with key ${key.slice(0, 255)}.`)

function mayUse(call: Call, { is_public: isPublic, access }: Flavor): boolean {
  const project = call.var.caller.project?.id
  return isPublic || isAdmin(call) || (project !== undefined && access.includes(project))
}

export async function flavorOf(call: Call, { table }: Pick<Ground, 'table'>, id: string): Promise<Flavor> {
  const flavor = (await table.get(flavorStore.key(id)))?.value as Flavor | undefined
  if (!flavor || !mayUse(call, flavor)) throw new UserError(404, `Flavor ${id} could not be found.`)
  return flavor
}

const links = (call: Call, { uuid }: Pick<Flavor, 'uuid'>) => [
  { rel: 'self', href: `${call.var.base}${PATH}/flavors/${uuid}` },
  { rel: 'bookmark', href: `${call.var.base}/compute/flavors/${uuid}` },
]

function flavorView(call: Call, flavor: Flavor) {
  const { uuid, name, vcpus, ram, disk, ephemeral, swap, rxtx_factor, is_public, description, extra_specs } = flavor
  const { minor } = call.var
  return {
    id: uuid,
    name,
    vcpus,
    ram,
    disk,
    swap: swap === 0 && minor < 75 ? '' : swap,
    rxtx_factor,
    'OS-FLV-EXT-DATA:ephemeral': ephemeral,
    'OS-FLV-DISABLED:disabled': false,
    'os-flavor-access:is_public': is_public,
    links: links(call, flavor),
    ...(minor >= 55 ? { description } : {}),
    ...(minor >= 61 ? { extra_specs } : {}),
  }
}
