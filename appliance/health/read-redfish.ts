import { z } from 'zod'
import type { Redfish } from '@bloomery/redfish/client.ts'
import { type Measured, type Part, readHealth } from '@bloomery/redfish/health.ts'
import { listLogs, readLog } from '@bloomery/redfish/log.ts'
import { offered } from '@bloomery/redfish/offered.ts'
import type { System } from '@bloomery/redfish/system.ts'
import { healthCause, MOST_READINGS, type SensorReading } from '../../contract/health.ts'
import { type Ailment, clip, type Logged, type Look, type Ask, nothingLogged, politely } from './look.ts'
import { logMark, logNews } from './redfish-log.ts'

/** Sensors, parts and logs of a BMC over Redfish. Drives and logs, many requests each, are read every sixth time. */

const DEEP_EVERY = 6
const MOST_LOGS = 4
/** What people and programs did, by its usual names: nothing of the hardware. */
const OF_PEOPLE = /lclog|audit|security|journal|dump|crash|postcode|command/i

const ailment = healthCause.omit({ since: true })
const kept = z.object({
  /** Looks since drives and logs were read. */
  since: z.int().min(0),
  /** By log: the time of the last entry read, and the ids of that time. */
  logs: z.record(z.string().max(1024), logMark),
  /** What was wrong with drives when they were read last: it is until they are read again. */
  drives: z.array(ailment).max(64),
})
type Kept = z.infer<typeof kept>

export async function readRedfishHealth(
  { bmc: direct, system }: { bmc: Redfish; system: System },
  before: string | null,
  ask: Ask,
): Promise<Look> {
  const bmc = politely(direct, ['get', 'send'], ask)
  const known = before === null ? undefined : kept.safeParse(JSON.parse(before)).data
  const deep = known === undefined || known.since + 1 >= DEEP_EVERY
  const { measured, parts, drives: seen } = await readHealth(bmc, system, deep)
  const drives = seen?.flatMap(ofPart) ?? known?.drives ?? []
  const logs = deep ? await newsOf(bmc, system, known?.logs) : undefined
  return {
    readings: measured.slice(0, MOST_READINGS).map(readingOf),
    watts: measured.find(({ kind, value }) => kind === 'power' && value !== undefined)?.value ?? null,
    ailments: [...measured.flatMap(ofMeasured), ...parts.flatMap(ofPart), ...drives],
    log: logs?.news ?? nothingLogged,
    kept: JSON.stringify({
      since: deep ? 0 : known.since + 1,
      logs: logs?.marks ?? known?.logs ?? {},
      drives,
    } satisfies Kept),
  }
}

/** Units as people write them. */
const units: Readonly<Record<string, string>> = { Cel: '°C', '%': '%', Percent: '%' }

function readingOf({ name, kind, value, units: unit, health }: Measured): SensorReading {
  return {
    name: clip(name, 64),
    kind,
    value: value ?? null,
    unit: clip(units[unit] ?? unit, 16),
    level: health,
  }
}

function ofMeasured({ name, value, units: unit, health, beyond }: Measured): Ailment[] {
  if (health === 'OK') return []
  const sign = units[unit] ?? unit
  const amount = value === undefined ? '' : `${value} ${sign}, `
  const why = beyond ? `${beyond.limit} of ${beyond.value} ${sign}` : `the BMC calls it ${health}`
  return [{ subject: clip(`sensor ${name}`, 128), level: health, text: clip(`${name}: ${amount}${why}`, 256) }]
}

function ofPart({ what, name, health, trouble }: Part): Ailment[] {
  if (health === 'OK') return []
  const text = `${what} ${name}: ${trouble ?? `the BMC calls it ${health}`}`
  return [{ subject: clip(`${what} ${name}`, 128), level: health, text: clip(text, 256) }]
}

async function newsOf(
  bmc: Redfish,
  system: System,
  before: Kept['logs'] | undefined,
): Promise<{ news: Logged; marks: Kept['logs'] }> {
  const marks: Kept['logs'] = {}
  const news: Logged = { entries: [], erased: false }
  const books = (await offered(() => listLogs(bmc, system))) ?? []
  for (const book of books.filter(({ id }) => !OF_PEOPLE.test(id)).slice(0, MOST_LOGS)) {
    const mark = before?.[book.path]
    const entries = await offered(() => readLog(bmc, book))
    const found = entries && logNews(book.id, mark, entries)
    const next = found?.mark ?? mark
    if (next) marks[book.path] = next
    if (!found) continue
    news.entries.push(...found.entries)
    news.erased ||= found.erased
  }
  return { news, marks }
}
