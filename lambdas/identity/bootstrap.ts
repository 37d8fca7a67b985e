import { createHash } from 'node:crypto'
import type { Project, User } from '../../contract/identity.ts'
import { ConflictError, type Platform } from '../platform.ts'
import { grantItem } from './grants.ts'
import { creation } from './named.ts'
import { standardRole } from './roles.ts'
import { hashSecret } from './secret.ts'

/** The first administrator, of the system and of a project, both called admin; and the project that services belong to. Once: later
 * calls find the marker and change nothing, whatever has become of them. Says whether it was now. */
export async function bootstrap(
  { table, clock }: Pick<Platform, 'table' | 'clock'>,
  password: string,
): Promise<boolean> {
  const marker = { pk: 'identity', sk: 'bootstrapped' }
  if (await table.get(marker)) return false
  const created_at = clock.now().toISOString()
  const common = { enabled: true, created_at, version: 1 }
  const admin: Project = {
    ...common,
    id: idOf('project admin'),
    name: 'admin',
    description: 'Of the first administrator',
  }
  const service: Project = { ...common, id: idOf('project service'), name: 'service', description: 'Of services' }
  const user: User = {
    ...common,
    id: idOf('user admin'),
    name: 'admin',
    description: 'The first administrator',
    email: null,
    default_project_id: null,
    password_hash: await hashSecret(password),
    tokens_since: null,
  }
  const role = standardRole('admin').id
  try {
    await table.write([
      { put: { ...marker, version: 1, value: { at: created_at } }, expect: 'absent' },
      ...creation('project', admin),
      ...creation('project', service),
      ...creation('user', user),
      { put: grantItem({ user: user.id, target: { kind: 'project', id: admin.id }, role }) },
      { put: grantItem({ user: user.id, target: { kind: 'system' }, role }) },
    ])
    return true
  } catch (error) {
    if (error instanceof ConflictError && (await table.get(marker))) return false
    throw error
  }
}

/** The same everywhere, so that openrc files that name ids hold after a new beginning. */
function idOf(text: string): string {
  return createHash('sha256').update(`bootstrap ${text}`).digest('hex').slice(0, 32)
}
