import { randomBytes, randomUUID } from 'node:crypto'
import { chmod, writeFile } from 'node:fs/promises'
import { flushCompileCache } from 'node:module'
import { join } from 'node:path'
import { pino } from 'pino'
import { startCloud } from './cloud.ts'
import type { Config } from './config.ts'
import { adminPasswordFile } from './keystone.ts'

const STOP_MS = 15_000
const PRIVATE = 0o077
const FOR_EVERYBODY = 0o644

/** Runs the cloud until SIGTERM or SIGINT. Standard output says where it is; the log goes to standard error. */
export async function serve(config: Config, asJson: boolean): Promise<void> {
  const log = pino(
    { base: undefined, timestamp: pino.stdTimeFunctions.isoTime },
    pino.destination({ fd: 2, sync: true }),
  )
  const ids = { uuid: randomUUID, token: (bytes: number) => randomBytes(bytes).toString('base64url') }
  process.umask(PRIVATE) // the folder may be older than this, and open to everybody
  const cloud = await startCloud(config, { now: () => new Date() }, ids, log)
  const authorities = join(config.dataDir, 'authorities.pem')
  await writeFile(authorities, cloud.authorities)
  await chmod(authorities, FOR_EVERYBODY)
  const stopped = stopSignal()
  flushCompileCache() // for the next start, however this life ends
  const admin = config.auth.strategy === 'keystone' ? { admin_password_file: adminPasswordFile(config.dataDir) } : {}
  const where = { endpoint: cloud.endpoint, broker: cloud.broker, authorities, ...admin }
  process.stdout.write(
    asJson
      ? `${JSON.stringify(where)}\n`
      : `API       ${where.endpoint}\nbroker    ${where.broker}\nauthority ${authorities}\n${adminLine(where)}`,
  )
  const signal = await stopped
  log.info({ signal }, 'stopping')
  const late = setTimeout(() => {
    log.error({ seconds: STOP_MS / 1000 }, 'could not stop in time; everything answered is on disk')
    process.exit(1)
  }, STOP_MS)
  await cloud.stop()
  clearTimeout(late)
}

function adminLine({
  endpoint,
  admin_password_file: file,
}: {
  endpoint: string
  admin_password_file?: string
}): string {
  return file === undefined ? '' : `identity  ${endpoint}/identity/v3, user admin, first password in ${file}\n`
}

function stopSignal(): Promise<string> {
  return new Promise((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => resolve(signal))
  })
}
