import { UserError } from '../../contract/api/faults.ts'
import type { ApplicationCredential } from '../../contract/identity.ts'
import { readJson } from '../api/body.ts'
import { type Call, type Ground, type Identity, newId } from './context.ts'
import { createCredential, credentialsOf, deleteCredential, getCredential } from './credentials.ts'
import { forbidden, notFound } from './errors.ts'
import { credentialCreation } from './input.ts'
import { requireAdmin, requireReader, requireSession } from './rights.ts'
import { effectiveRoles } from './roles.ts'
import { hashSecret } from './secret.ts'
import type { Session } from './session.ts'
import { collectionView, credentialView } from './views.ts'

const MOST = 100

/** Application credentials: made by their user only, for the project that their token is for. */
export function credentialRoutes(app: Identity, ground: Ground): void {
  const path = '/identity/v3/users/:user/application_credentials'
  const shown = async (call: Call, credential: ApplicationCredential) =>
    credentialView(call.var.base, credential, await effectiveRoles(ground.table, credential.roles))
  app.get(path, async (call) => {
    const user = call.req.param('user')
    requireReader(call, 'identity:list_application_credentials', user)
    const name = call.req.query('name')
    const found = (await credentialsOf(ground.table, user)).filter((each) => name === undefined || each.name === name)
    const views = await Promise.all(found.map((each) => shown(call, each)))
    const where = `users/${user}/application_credentials`
    return call.json(collectionView(call.var.base, where, 'application_credentials', views))
  })
  app.post(path, async (call) => {
    const session = requireSession(call)
    if (session.user.id !== call.req.param('user')) throw forbidden('identity:create_application_credential')
    const { credential, secret } = await create(ground, session, await readJson(call))
    return call.json({ application_credential: { ...(await shown(call, credential)), secret } }, 201)
  })
  app.get(`${path}/:credential`, async (call) => {
    requireReader(call, 'identity:get_application_credential', call.req.param('user'))
    return call.json({ application_credential: await shown(call, await requireCredential(call, ground)) })
  })
  app.delete(`${path}/:credential`, async (call) => {
    const session = requireSession(call)
    if (session.user.id === call.req.param('user')) requireUnrestricted(session)
    else requireAdmin(call, 'identity:delete_application_credential')
    const credential = await requireCredential(call, ground)
    await deleteCredential(ground.table, credential)
    ground.log.info(
      { credential: credential.id, name: credential.name, by: session.user.id },
      'application credential deleted',
    )
    return call.body(null, 204)
  })
}

/** The secret is told once, here. */
async function create(
  ground: Ground,
  session: Session,
  body: unknown,
): Promise<{ credential: ApplicationCredential; secret: string }> {
  requireUnrestricted(session)
  const given = credentialCreation.parse(body).application_credential
  const { user, project } = session
  if (!project)
    throw new UserError(403, 'An application credential is for a project: ask for a token of that project first.')
  const count = (await credentialsOf(ground.table, user.id)).length
  if (count >= MOST)
    throw new UserError(403, `A user may have ${MOST} application credentials: delete some that are not used.`)
  const secret = given.secret ?? ground.ids.token(64)
  const credential: ApplicationCredential = {
    id: newId(ground),
    name: given.name,
    description: given.description ?? null,
    user_id: user.id,
    project_id: project.id,
    roles: given.roles?.length ? given.roles.map((role) => ownRole(session, role)) : session.roles.map(({ id }) => id),
    unrestricted: given.unrestricted ?? false,
    expires_at: expiry(ground, given.expires_at ?? null),
    secret_hash: await hashSecret(secret),
    created_at: ground.clock.now().toISOString(),
    version: 1,
  }
  await createCredential(ground.table, credential)
  ground.log.info(
    { credential: credential.id, name: credential.name, user: user.id, project: project.id },
    'application credential created',
  )
  return { credential, secret }
}

function ownRole({ roles }: Session, asked: { id?: string; name?: string }): string {
  const found = roles.find(({ id, name }) => (asked.id === undefined ? name === asked.name : id === asked.id))
  if (!found) throw new UserError(400, `Role ${asked.id ?? asked.name} can't be given on: the token doesn't have it.`)
  return found.id
}

function expiry({ clock }: Ground, text: string | null): string | null {
  if (text === null) return null
  const at = new Date(text.endsWith('Z') ? text : `${text}Z`)
  if (Number.isNaN(at.getTime())) throw new UserError(400, `expires_at: there is no such instant as ${text}.`)
  if (at <= clock.now()) throw new UserError(400, 'expires_at has to be in the future.')
  return at.toISOString()
}

/** A program that is trusted with little can't make or take away credentials, unless its own says so. */
function requireUnrestricted({ credential }: Session): void {
  if (credential && !credential.unrestricted)
    throw forbidden('using a restricted application credential to manage application credentials')
}

async function requireCredential(call: Call, { table }: Ground): Promise<ApplicationCredential> {
  const id = call.req.param('credential') ?? ''
  const credential = await getCredential(table, id)
  if (!credential || credential.user_id !== call.req.param('user')) throw notFound('application credential', id)
  return credential
}
