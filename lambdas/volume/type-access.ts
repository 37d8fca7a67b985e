import type { VolumeType } from '../../contract/block-storage.ts'
import { UserError } from '../../contract/api/faults.ts'
import { readJson } from '../api/body.ts'
import type { Ground, Service } from '../openstack/context.ts'
import { requireAdmin } from '../openstack/rights.ts'
import { typeOf } from './find.ts'
import { typeAccess } from './input.ts'
import { PATH } from './path.ts'
import { typeStore } from './store.ts'

const MOST_PROJECTS = 256

/** Which projects may use a type that isn't public. */
export function typeAccessRoutes(app: Service, ground: Ground): void {
  const one = `${PATH}/types/:type`
  app.get(`${one}/os-volume-type-access`, async (call) => {
    requireAdmin(call, 'volume_extension:volume_type_access')
    const type = await privateType(ground, call.req.param('type'))
    const access = (type.access ?? []).map((project_id) => ({ volume_type_id: type.uuid, project_id }))
    return call.json({ volume_type_access: access })
  })
  app.post(`${one}/action`, async (call) => {
    requireAdmin(call, 'volume_extension:volume_type_access')
    const { addProjectAccess: added, removeProjectAccess: removed } =
      ((await readJson(call)) as Record<string, unknown> | undefined) ?? {}
    if ((added === undefined) === (removed === undefined))
      throw new UserError(400, 'There is: addProjectAccess, removeProjectAccess; one of them.')
    const { project } = typeAccess.parse(added ?? removed)
    const type = await privateType(ground, call.req.param('type'))
    const before = type.access ?? []
    if (removed !== undefined && !before.includes(project))
      throw new UserError(404, `Volume type access not found for ${type.uuid} / ${project} combination.`)
    if (added !== undefined && before.includes(project))
      throw new UserError(409, `Volume type access for ${type.uuid} / ${project} combination already exists.`)
    if (added !== undefined && before.length >= MOST_PROJECTS)
      throw new UserError(413, `Volume type ${type.uuid} is for ${MOST_PROJECTS} projects: make it public.`)
    const access = removed === undefined ? [...before, project] : before.filter((each) => each !== project)
    const after = { ...type, access, updated_at: ground.clock.now().toISOString(), version: type.version + 1 }
    if (!(await typeStore.save(ground.table, type, after)))
      throw new UserError(409, `Volume type ${type.uuid} was changed at the same moment, please retry.`)
    return call.body(null, 202)
  })
}

async function privateType(ground: Ground, ident: string): Promise<VolumeType> {
  const type = await typeOf(ground, ident)
  if (type.is_public) throw new UserError(409, `Type access modification is not applicable to public volume type.`)
  return type
}
