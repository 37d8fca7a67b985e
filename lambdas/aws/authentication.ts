import type { ApiConfig } from '../api/config.ts'
import { identityConfig } from '../identity/config.ts'
import { bootstrap } from '../identity/bootstrap.ts'
import type { Platform } from '../platform.ts'
import { requiredOf } from './environment.ts'
import { readSecret } from './secret.ts'

type Variables = Record<string, string | undefined>

const TOKEN_SECONDS = 3600

/** How callers are known, as cdk/authentication.ts decided: by htpasswd lines, or by our identity service, whose first administrator
 * is made here if there is none yet. */
export async function readAuthentication(platform: Platform, variables: Variables): Promise<ApiConfig['auth']> {
  const { TOKEN_KEY: key } = variables
  if (!key) return { strategy: 'http_basic', htpasswd: await readSecret(requiredOf(variables, 'USERS')) }
  const admin = requiredOf(variables, 'ADMIN')
  const [signingKey, password] = await Promise.all([readSecret(key), readSecret(admin)])
  const config = identityConfig.parse({ signingKey: signingKey.trim(), tokenSeconds: TOKEN_SECONDS })
  if (await bootstrap(platform, password.trim())) platform.log.info({ user: 'admin' }, 'first administrator made')
  return { strategy: 'keystone', ...config }
}
