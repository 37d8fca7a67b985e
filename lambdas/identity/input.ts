import { z } from 'zod'
import { DOMAIN, identityId } from '../../contract/identity.ts'

/** What people may write of users, projects, roles and credentials. Attributes that we don't keep are let pass, as Keystone does. */

const name = (most: number) => z.string().trim().min(1).max(most)
const text = z.string().max(4096)
const domain = z.literal(DOMAIN, 'there is only the domain default').nullish()
export const password = z.string().min(1).max(4096)

const userFields = {
  enabled: z.boolean().optional(),
  description: text.nullish(),
  email: z.string().max(255).nullish(),
  default_project_id: identityId.nullish(),
  domain_id: domain,
  password: password.nullish(),
}
export const userCreation = z.object({ user: z.object({ name: name(255), ...userFields }) })
export const userUpdate = z.object({ user: z.object({ name: name(255).optional(), ...userFields }) })
export const passwordChange = z.object({ user: z.object({ password, original_password: z.string().max(4096) }) })

const projectFields = {
  enabled: z.boolean().optional(),
  description: text.nullish(),
  domain_id: domain,
  is_domain: z.literal(false, 'there is only the domain default').optional(),
}
const parent = z.literal(DOMAIN, 'projects have no projects below them').nullish()
export const projectCreation = z.object({ project: z.object({ name: name(64), parent_id: parent, ...projectFields }) })
export const projectUpdate = z.object({ project: z.object({ name: name(64).optional(), ...projectFields }) })

const groupFields = { description: text.nullish(), domain_id: domain }
export const groupCreation = z.object({ group: z.object({ name: name(64), ...groupFields }) })
export const groupUpdate = z.object({ group: z.object({ name: name(64).optional(), ...groupFields }) })

const roleFields = { description: text.nullish(), domain_id: z.null('roles belong to no domain').optional() }
export const roleCreation = z.object({ role: z.object({ name: name(255), ...roleFields }) })
export const roleUpdate = z.object({ role: z.object({ name: name(255).optional(), ...roleFields }) })

export const credentialCreation = z.object({
  application_credential: z.object({
    name: name(255),
    description: text.nullish(),
    secret: z.string().min(1).max(4096).nullish(),
    roles: z
      .array(z.object({ id: identityId.optional(), name: name(255).optional() }))
      .max(64)
      .nullish(),
    expires_at: z
      .string()
      .regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z?$/, 'an instant like 2027-01-31T12:00:00')
      .nullish(),
    unrestricted: z.boolean().nullish(),
    access_rules: z.array(z.unknown()).max(0, 'access rules are not supported').nullish(),
  }),
})
