import type { Clock } from '../clock.ts'
import { reason, type Log } from '../log.ts'
import { run } from '../programs.ts'
import { askTime } from './sntp.ts'

/** Nearer than this, a server's clock is left as it is: HTTP's Date has no more than seconds (RFC 9110 §5.6.7). */
const TOLERATED_MS = 2000
const NTP_SECONDS = 5

export interface TimeSources {
  /** `ipa-ntp-server`. */
  ntpServer?: string
  /** What the site's last answer said, in milliseconds since the epoch. */
  date?: number
}

/** Servers lose their clock, and keep local time: logs, certificates and the file times of what is written would be wrong. Without a source,
 * or where it fails, the agent goes on. */
export async function setClock({ ntpServer, date }: TimeSources, clock: Clock, log: Log): Promise<void> {
  const ahead = await differenceTo(ntpServer, date, clock, log)
  if (ahead === undefined || Math.abs(ahead) < TOLERATED_MS) return
  try {
    await run('date', ['-u', '-s', `@${Math.round((clock.now() + ahead) / 1000)}`], 10)
    log.info('clock set', { by_s: Math.round(ahead / 1000), from: ntpServer ?? 'the site' })
  } catch (error) {
    log.warn('the clock could not be set', { because: reason(error) })
  }
}

async function differenceTo(
  server: string | undefined,
  date: number | undefined,
  clock: Clock,
  log: Log,
): Promise<number | undefined> {
  try {
    if (server !== undefined) return await askTime(server, NTP_SECONDS, () => clock.now())
  } catch (error) {
    log.warn('no time from NTP', { server, because: reason(error) })
  }
  return date === undefined ? undefined : date - clock.now()
}
