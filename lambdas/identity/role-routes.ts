import { UserError } from '../../contract/api/faults.ts'
import { implications, type Role } from '../../contract/identity.ts'
import { readJson } from '../api/body.ts'
import { newId, type Ground, type Identity } from './context.ts'
import { forbidden, notFound } from './errors.ts'
import { allGrants, deleteGrants } from './grants.ts'
import { roleCreation, roleUpdate } from './input.ts'
import { createNamed, deleteNamed, updateNamed } from './named.ts'
import { matching } from './query.ts'
import { requireAdmin, requireReader } from './rights.ts'
import { getRole, isStandard, listRoles, standardRole } from './roles.ts'
import { collectionView, roleView } from './views.ts'

export function roleRoutes(app: Identity, ground: Ground): void {
  const { table, log } = ground
  const path = '/identity/v3/roles'
  app.get(path, async (call) => {
    requireReader(call, 'identity:list_roles')
    const { base } = call.var
    const roles = matching(call, await listRoles(table)).map((each) => roleView(base, each))
    return call.json(collectionView(base, 'roles', 'roles', roles))
  })
  app.post(path, async (call) => {
    const by = requireAdmin(call, 'identity:create_role')
    const { name, description = null } = roleCreation.parse(await readJson(call)).role
    if (isStandard({ name })) throw new UserError(409, `A role with the name ${name} already exists.`)
    const role: Role = { id: newId(ground), name, description, version: 1 }
    await createNamed(table, 'role', role)
    log.info({ role: role.id, name, by: by.user.id }, 'role created')
    return call.json({ role: roleView(call.var.base, role) }, 201)
  })
  app.get(`${path}/:role`, async (call) => {
    requireReader(call, 'identity:get_role')
    return call.json({ role: roleView(call.var.base, await requireRole(ground, call.req.param('role'))) })
  })
  app.patch(`${path}/:role`, async (call) => {
    requireAdmin(call, 'identity:update_role')
    const id = call.req.param('role')
    const { name, description } = roleUpdate.parse(await readJson(call)).role
    if (isStandard({ id })) throw forbidden('identity:update_role (standard roles stay as they are)')
    if (name !== undefined && isStandard({ name }))
      throw new UserError(409, `A role with the name ${name} already exists.`)
    const after = await updateNamed(table, 'role', id, (before) => ({
      ...before,
      name: name ?? before.name,
      description: description === undefined ? before.description : description,
    }))
    if (!after) throw notFound('role', id)
    return call.json({ role: roleView(call.var.base, after) })
  })
  app.delete(`${path}/:role`, async (call) => {
    const by = requireAdmin(call, 'identity:delete_role')
    const role = await requireRole(ground, call.req.param('role'))
    if (isStandard(role)) throw forbidden('identity:delete_role (standard roles stay as they are)')
    await deleteNamed(table, 'role', role)
    await deleteGrants(
      table,
      (await allGrants(table)).filter((grant) => grant.role === role.id),
    )
    log.info({ role: role.id, name: role.name, by: by.user.id }, 'role deleted')
    return call.body(null, 204)
  })
  app.get('/identity/v3/role_inferences', (call) => {
    requireReader(call, 'identity:list_role_inference_rules')
    const view = (name: (typeof implications)[number][0]) => roleView(call.var.base, standardRole(name))
    const rules = implications.map(([has, gets]) => ({ prior_role: view(has), implies: [view(gets)] }))
    return call.json(collectionView(call.var.base, 'role_inferences', 'role_inferences', rules))
  })
}

export async function requireRole({ table }: Pick<Ground, 'table'>, id: string): Promise<Role> {
  const role = await getRole(table, id)
  if (!role) throw notFound('role', id)
  return role
}
