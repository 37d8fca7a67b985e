import { z } from 'zod'
import type { Redfish } from '@bloomery/redfish/client.ts'
import { NotOffered, RequestRefused } from '@bloomery/redfish/error.ts'
import { type Measured, type Part, readHealth } from '@bloomery/redfish/health.ts'
import { listLogs, readLog } from '@bloomery/redfish/log.ts'
import type { System } from '@bloomery/redfish/system.ts'
import { healthLevel, MOST_READINGS, type SensorReading } from '../../contract/health.ts'
import { type Ailment, clip, type Entry, type Logged, type Look, type Ask, nothingLogged, politely } from './look.ts'

/** Sensors, parts and logs of a BMC over Redfish. Drives and logs, many requests each, are read every sixth time. */

const DEEP_EVERY = 6
const MOST_LOGS = 4
const MOST_ENTRIES = 64
/** What people and programs did, by its usual names: nothing of the hardware. */
const OF_PEOPLE = /lclog|audit|security|journal|dump|crash|postcode|command/i

const kept = z.object({
  /** Looks since drives and logs were read. */
  since: z.int().min(0),
  /** By log: the time of the last entry read, and the ids of that time. */
  logs: z.record(
    z.string().max(1024),
    z.object({ at: z.string().max(64), ids: z.array(z.string().max(1024)).max(256) }),
  ),
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
  const { measured, parts } = await readHealth(bmc, system, deep)
  const logs = deep ? await newsOf(bmc, system, known?.logs) : undefined
  return {
    readings: measured.slice(0, MOST_READINGS).map(readingOf),
    watts: measured.find(({ kind, value }) => kind === 'power' && value !== undefined)?.value ?? null,
    ailments: [...measured.flatMap(ofMeasured), ...parts.flatMap(ofPart)],
    log: logs?.news ?? nothingLogged,
    kept: JSON.stringify({ since: deep ? 0 : known.since + 1, logs: logs?.marks ?? known?.logs ?? {} } satisfies Kept),
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
    const entries = (await offered(() => readLog(bmc, book))) ?? []
    const dated = entries.flatMap(({ at, ...entry }) =>
      at === undefined ? [] : [{ at, time: Date.parse(at), ...entry }],
    )
    const known = dated.filter(({ time }) => !Number.isNaN(time)).toSorted((a, b) => a.time - b.time)
    const mark = before?.[book.path]
    const fresh = known.filter(({ time, id }) => isNews(mark, time, id))
    const last = known.at(-1)
    marks[book.path] = last
      ? {
          at: last.at,
          ids: known
            .filter(({ time }) => time === last.time)
            .map(({ id }) => id)
            .slice(0, 256),
        }
      : { at: new Date(0).toISOString(), ids: [] }
    // The first look at a log only finds its end.
    if (before === undefined || mark === undefined) continue
    news.entries.push(...fresh.slice(-MOST_ENTRIES).map((each) => entryOf(book.id, each)))
    news.erased ||= entries.length === 0 && mark.ids.length > 0
  }
  return { news, marks }
}

function isNews(mark: Kept['logs'][string] | undefined, time: number, id: string): boolean {
  const until = Date.parse(mark?.at ?? '') || 0
  return time > until || (time === until && mark?.ids.includes(id) === false)
}

async function offered<T>(read: () => Promise<T>): Promise<T | undefined> {
  try {
    return await read()
  } catch (error) {
    if (error instanceof NotOffered) return undefined
    if (error instanceof RequestRefused && [400, 403, 404, 405, 501].includes(error.status)) return undefined
    throw error
  }
}

function entryOf(
  book: string,
  { id, time, severity, text }: { id: string; time: number; severity: string | undefined; text: string },
): Entry {
  const level = healthLevel.safeParse(severity).data ?? 'OK'
  return {
    at: new Date(time).toISOString(),
    level,
    text: clip(text, 256) || `entry ${clip(id, 64)} of ${clip(book, 64)}`,
    // Warnings are told, and make nobody unwell: BMCs warn of a failed log-in, too.
    blames: level === 'Critical' ? clip(`log ${text}`, 128) : undefined,
    absolves: undefined,
  }
}
