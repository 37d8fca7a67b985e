import { randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { ApiConfig } from '../lambdas/api/config.ts'
import { bootstrap } from '../lambdas/identity/bootstrap.ts'
import type { Platform } from '../lambdas/platform.ts'
import { secretFile } from './secret-file.ts'
import { writeOnce } from './write-once.ts'

/** The first administrator's password, as it was at the beginning: only root and this service's user can read it. */
export const adminPasswordFile = (dataDir: string): string => join(dataDir, 'admin-password')

/** The key of tokens and the first administrator, both made at the first start. */
export async function keystoneAuth(
  dataDir: string,
  platform: Platform,
  tokenSeconds: number,
): Promise<ApiConfig['auth']> {
  const signingKey = await secretFile(join(dataDir, 'token-key'), 'base64url')
  const passwordFile = adminPasswordFile(dataDir)
  await writeOnce(passwordFile, () => `${randomBytes(18).toString('base64url')}\n`)
  if (await bootstrap(platform, (await readFile(passwordFile, 'utf8')).trim()))
    platform.log.info({ user: 'admin', password_file: passwordFile }, 'first administrator made')
  return { strategy: 'keystone', signingKey, tokenSeconds }
}
