import {
  type ApplicationCredential,
  DOMAIN,
  type Group,
  type Project,
  type Role,
  type User,
} from '../../contract/identity.ts'
import { catalogue } from './catalog.ts'
import { stamp } from './context.ts'
import type { Session } from './session.ts'

/** Resources as Keystone shows them. Pure. */

export const domainReference = { id: DOMAIN, name: 'Default' }

export function userView(base: string, { id, name, enabled, description, email, default_project_id }: User) {
  return {
    id,
    name,
    enabled,
    domain_id: DOMAIN,
    password_expires_at: null,
    options: {},
    ...(description === null ? {} : { description }),
    ...(email === null ? {} : { email }),
    ...(default_project_id === null ? {} : { default_project_id }),
    links: self(base, `users/${id}`),
  }
}

export function groupView(base: string, { id, name, description }: Group) {
  return { id, name, description, domain_id: DOMAIN, links: self(base, `groups/${id}`) }
}

export function projectView(base: string, { id, name, enabled, description }: Project) {
  const fixed = { domain_id: DOMAIN, parent_id: DOMAIN, is_domain: false, tags: [], options: {} }
  return { id, name, enabled, description, ...fixed, links: self(base, `projects/${id}`) }
}

export function domainView(base: string) {
  const { id, name } = domainReference
  return {
    id,
    name,
    enabled: true,
    description: 'The only domain',
    tags: [],
    options: {},
    links: self(base, `domains/${id}`),
  }
}

export function roleView(base: string, { id, name, description }: Role) {
  return { id, name, description, domain_id: null, options: {}, links: self(base, `roles/${id}`) }
}

export function credentialView(base: string, credential: ApplicationCredential, roles: Role[]) {
  const { id, name, description, user_id, project_id, unrestricted, expires_at } = credential
  return {
    id,
    name,
    description,
    user_id,
    project_id,
    unrestricted,
    expires_at: expires_at && stamp(expires_at),
    roles: roles.map((role) => ({ id: role.id, name: role.name, domain_id: null })),
    access_rules: [],
    links: self(base, `users/${user_id}/application_credentials/${id}`),
  }
}

/** The document of a token. It is not the token, which travels in a header only. */
export function tokenView(base: string, session: Session, withCatalogue: boolean) {
  const { claims, user, roles, credential } = session
  return {
    token: {
      methods: claims.methods,
      user: { id: user.id, name: user.name, domain: domainReference, password_expires_at: null },
      audit_ids: claims.ids,
      issued_at: stamp(claims.issued),
      expires_at: stamp(claims.expires),
      ...scopeView(session),
      ...(claims.scope === null ? {} : { roles: roles.map(({ id, name }) => ({ id, name })) }),
      ...(claims.scope === null || !withCatalogue ? {} : { catalog: catalogue(base) }),
      ...(credential === null
        ? {}
        : {
            application_credential: { id: credential.id, name: credential.name, restricted: !credential.unrestricted },
          }),
    },
  }
}

function scopeView({ claims, project }: Session) {
  if (project) return { project: { id: project.id, name: project.name, domain: domainReference }, is_domain: false }
  if (claims.scope?.[0] === 'system') return { system: { all: true } }
  return claims.scope?.[0] === 'domain' ? { domain: domainReference } : {}
}

export function collectionView(base: string, path: string, name: string, items: unknown[]) {
  return { [name]: items, links: { next: null, previous: null, ...self(base, path) } }
}

function self(base: string, path: string) {
  return { self: `${base}/identity/v3/${path}` }
}
