import { z } from 'zod'
import { instant } from './resources.ts'

/** The words of identity: who there is, and as whom somebody calls. Ids are Keystone's: 32 hexadecimal digits. */

export const identityId = z.string().regex(/^[0-9a-f]{32}$/, '32 hexadecimal digits')
export const DOMAIN = 'default'

/** A person or a program. `tokens_since`: tokens issued earlier are void. */
export const user = z.object({
  id: identityId,
  name: z.string().min(1).max(255),
  enabled: z.boolean(),
  description: z.string().max(4096).nullable(),
  email: z.string().max(255).nullable(),
  default_project_id: identityId.nullable(),
  /** Null: nobody can log in by password. */
  password_hash: z.string().nullable(),
  tokens_since: instant.nullable(),
  created_at: instant,
  version: z.int().positive(),
})
export type User = z.infer<typeof user>

export const project = z.object({
  id: identityId,
  name: z.string().min(1).max(64),
  enabled: z.boolean(),
  description: z.string().max(4096),
  created_at: instant,
  version: z.int().positive(),
})
export type Project = z.infer<typeof project>

export const role = z.object({
  id: identityId,
  name: z.string().min(1).max(255),
  description: z.string().max(4096).nullable(),
  version: z.int().positive(),
})
export type Role = z.infer<typeof role>

/** People who have roles together. */
export const group = z.object({
  id: identityId,
  name: z.string().min(1).max(64),
  description: z.string().max(4096),
  created_at: instant,
  version: z.int().positive(),
})
export type Group = z.infer<typeof group>

/** What a role is granted on. */
export type Target = { kind: 'project'; id: string } | { kind: 'domain' } | { kind: 'system' }

/** A user's secret for a program: it acts for them in one project, with some of their roles. */
export const applicationCredential = z.object({
  id: identityId,
  name: z.string().min(1).max(255),
  description: z.string().max(4096).nullable(),
  user_id: identityId,
  project_id: identityId,
  roles: z.array(identityId).min(1).max(64),
  unrestricted: z.boolean(),
  expires_at: instant.nullable(),
  secret_hash: z.string(),
  created_at: instant,
  version: z.int().positive(),
})
export type ApplicationCredential = z.infer<typeof applicationCredential>

/** Roles that always exist. Who has the left one has the right one too. */
export const standardRoles = ['admin', 'manager', 'member', 'reader', 'service'] as const
export type StandardRole = (typeof standardRoles)[number]
export const implications: ReadonlyArray<readonly [StandardRole, StandardRole]> = [
  ['admin', 'manager'],
  ['manager', 'member'],
  ['member', 'reader'],
]

/** With those that they imply. The list of implications is in order, so that one walk finds all. */
export function withImplied(names: Iterable<string>): Set<string> {
  const all = new Set(names)
  for (const [has, gets] of implications) if (all.has(has)) all.add(gets)
  return all
}

/** As whom a request is made: in a project, on the system as a whole, or (neither) on nothing. */
export interface Caller {
  user: { id: string; name: string } | null
  project: { id: string; name: string } | null
  system: boolean
  /** Names, implied ones too. */
  roles: ReadonlySet<string>
}

/** A caller who didn't say who they are. */
export const nobody: Caller = { user: null, project: null, system: false, roles: new Set() }

/** Who calls where nobody has to say who they are, or where users are all alike. */
export function operator(name: string | null): Caller {
  const user = name === null ? null : { id: name, name }
  return { user, project: null, system: true, roles: withImplied(['admin']) }
}
