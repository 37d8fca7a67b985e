import { mayUseType, type VolumeType } from '../../contract/block-storage.ts'
import { UserError } from '../../contract/api/faults.ts'
import { readJson } from '../api/body.ts'
import type { Call, Ground, Service } from '../openstack/context.ts'
import { asked, pageOf } from '../openstack/listing.ts'
import { isAdmin, requireAdmin } from '../openstack/rights.ts'
import { typeOf } from './find.ts'
import { metadata, typeCreation, typeUpdate } from './input.ts'
import { PATH } from './path.ts'
import { typeStore } from './store.ts'
import { typeView } from './views.ts'

/** Volume types; `volume_backend_name` among the extra specs names the site whose appliances have them. */
export function typeRoutes(app: Service, ground: Ground): void {
  const { table, clock, ids } = ground
  const path = `${PATH}/types`
  const one = `${path}/:type`
  const seen = async (call: Call): Promise<VolumeType> => {
    const ident = call.req.param('type') ?? ''
    const type = await typeOf(ground, ident)
    if (!mayUseType(type, call.var.caller.project?.id) && !isAdmin(call))
      throw new UserError(404, `Volume type ${ident.slice(0, 64)} could not be found.`)
    return type
  }
  const changed = async (call: Call, changes: (before: VolumeType) => Partial<VolumeType>): Promise<VolumeType> => {
    requireAdmin(call, 'volume_extension:types_manage')
    const before = await seen(call)
    const after = { ...before, ...changes(before), updated_at: clock.now().toISOString(), version: before.version + 1 }
    if (!(await typeStore.save(table, before, after)))
      throw new UserError(409, `Volume type ${before.uuid} was changed at the same moment, please retry.`)
    return after
  }
  app.get(path, async (call) => {
    const query = asked(call)
    const { values } = await pageOf(
      table,
      typeStore,
      query,
      undefined,
      (type) => mayUseType(type, call.var.caller.project?.id) || isAdmin(call),
    )
    return call.json({ volume_types: values.map((each) => typeView(call, each)) })
  })
  app.post(path, async (call) => {
    requireAdmin(call, 'volume_extension:types_manage')
    const given = typeCreation.parse(await readJson(call)).volume_type
    const type: VolumeType = {
      uuid: ids.uuid(),
      name: given.name,
      description: given.description ?? null,
      is_public: given['os-volume-type-access:is_public'] ?? true,
      extra_specs: given.extra_specs ?? {},
      created_at: clock.now().toISOString(),
      updated_at: null,
      version: 1,
    }
    await typeStore.save(table, undefined, type)
    return call.json({ volume_type: typeView(call, type) })
  })
  // There is none: a volume without a type goes wherever there is room.
  app.get(`${path}/default`, () => {
    throw new UserError(404, 'Default volume type can not be found.')
  })
  app.get(one, async (call) => call.json({ volume_type: typeView(call, await seen(call)) }))
  app.put(one, async (call) => {
    const { name, description, is_public } = typeUpdate.parse(await readJson(call)).volume_type
    const after = await changed(call, () => ({
      ...(name === undefined ? {} : { name }),
      ...(description === undefined ? {} : { description }),
      ...(is_public === undefined ? {} : { is_public }),
    }))
    return call.json({ volume_type: typeView(call, after) })
  })
  app.delete(one, async (call) => {
    requireAdmin(call, 'volume_extension:types_manage')
    await typeStore.remove(table, await seen(call))
    return call.body(null, 202)
  })
  app.get(`${one}/extra_specs`, async (call) =>
    call.json({ extra_specs: typeView(call, await seen(call)).extra_specs }),
  )
  app.post(`${one}/extra_specs`, async (call) => {
    const more = metadata.parse(((await readJson(call)) as { extra_specs?: unknown } | undefined)?.extra_specs)
    const { extra_specs } = await changed(call, (before) => ({ extra_specs: { ...before.extra_specs, ...more } }))
    return call.json({ extra_specs })
  })
  app.delete(`${one}/extra_specs/:key`, async (call) => {
    const key = call.req.param('key')
    await changed(call, ({ extra_specs: { [key]: gone, ...left } }) => {
      if (gone === undefined) throw new UserError(404, `Volume type has no extra specs with key ${key.slice(0, 64)}.`)
      return { extra_specs: left }
    })
    return call.body(null, 202)
  })
}
