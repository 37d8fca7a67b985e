import { flushCompileCache } from 'node:module'
import { readConfig } from './config.ts'
import { sentence } from './hardware-error.ts'
import { installFetch } from './install-fetch.ts'
import { openLog } from './log-file.ts'
import { realClock } from './real-clock.ts'
import { runAppliance } from './run.ts'

/** Longer than a silent BMC can hold a step up. */
const STOP_MS = 30_000
const LEAVE_MS = 1000

/** Runs the site until SIGTERM or SIGINT. What was in progress is in the ledger and goes on at the next start. */
export async function main(configPath: string): Promise<void> {
  installFetch()
  const config = readConfig(configPath)
  const log = openLog(config.log_level)
  const appliance = await runAppliance(config, realClock, log)
  flushCompileCache() // for the next start, however this life ends
  const signal = await new Promise<string>((resolve) => {
    for (const each of ['SIGTERM', 'SIGINT'] as const) process.once(each, () => resolve(each))
  })
  log.info({ signal }, 'stopping')
  const late = setTimeout(() => {
    log.error({}, 'could not stop in time; the ledger has everything')
    process.exit(1)
  }, STOP_MS)
  await appliance.stop().catch((error: unknown) => log.error({ error: sentence(error) }, 'stopping failed'))
  clearTimeout(late)
  // Questions to silent BMCs would keep this process for as long as they have.
  setTimeout(() => process.exit(), LEAVE_MS).unref()
}
