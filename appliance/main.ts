import { pino } from 'pino'
import { realClock } from './real-clock.ts'
import { readConfig } from './config.ts'
import { sentence } from './hardware-error.ts'
import { runAppliance } from './run.ts'

/** `bloomery appliance run`: runs until SIGTERM or SIGINT. What was in progress is in the ledger and goes on at the next start. */
export async function main(configPath: string): Promise<void> {
  const config = readConfig(configPath)
  const log = pino({ level: config.log_level, base: undefined, timestamp: pino.stdTimeFunctions.isoTime })
  const appliance = await runAppliance(config, realClock, log)
  const signal = await new Promise<string>((resolve) => {
    for (const each of ['SIGTERM', 'SIGINT'] as const) process.once(each, () => resolve(each))
  })
  log.info({ signal }, 'stopping')
  const late = setTimeout(() => {
    log.error({}, 'could not stop in time; the ledger has everything')
    process.exit(1)
  }, 15_000)
  await appliance.stop().catch((error: unknown) => log.error({ error: sentence(error) }, 'stopping failed'))
  clearTimeout(late)
}

if (import.meta.main) {
  const [path] = process.argv.slice(2)
  if (path === undefined || path === '--help') {
    process.stdout.write(
      'Usage: node appliance/main.ts CONFIG.json\nExample: node appliance/main.ts /etc/bloomery/appliance.json\n',
    )
    process.exit(path === undefined ? 2 : 0)
  }
  await main(path).catch((error: unknown) => {
    process.stderr.write(`${sentence(error)}\n`)
    process.exit(1)
  })
}
