import { cursorOf, cursorText, type Cursor, event, type Event } from '../../contract/event.ts'
import type { HistoryEntry } from '../../contract/resources.ts'
import type { Key, Query, Table } from '../platform.ts'

/** History of all nodes by time. Each hour is a list of its own, so that no list grows without end and no one partition is written
 * by everybody for ever. */

/** Writers' clocks differ a little and indexes lag: what is younger may still get company before it. */
export const SETTLE_MS = 2000
export const KEPT_MS = 7 * 24 * 3600 * 1000
const HOUR_MS = 3600 * 1000
const CHUNK = 200
/** How many one reading looks at; who wants few among many goes on from where it stopped. */
const EXAMINE = 5000

const hourOf = (at: string): string => at.slice(0, 'yyyy-mm-ddThh'.length)
const listOf = (hour: string): string => `events#${hour}`

export function eventKey({ created_at: at, uuid }: Pick<HistoryEntry, 'created_at' | 'uuid'>): Key {
  return { pk: listOf(hourOf(at)), sk: `${at}#${uuid}` }
}

export interface Heard {
  events: Event[]
  /** Where to go on, whether there were any or not. */
  cursor: Cursor
}

/** Those behind the cursor that `keep` wants, at most `limit`, up to what has settled. */
export async function eventsAfter(
  table: Table,
  cursor: Cursor,
  now: Date,
  { limit, keep }: { limit: number; keep: (entry: HistoryEntry) => boolean },
): Promise<Heard> {
  const until = new Date(now.getTime() - SETTLE_MS).toISOString()
  const events: Event[] = []
  let at = cursor
  let examined = 0
  for (let hour = hourOf(cursor.at); hour <= hourOf(until); hour = hourAfter(hour)) {
    let after: Query['after'] = hour === hourOf(cursor.at) ? positionOf(cursor) : undefined
    do {
      const query = { index: 'all' as const, pk: listOf(hour), through: `${until}~`, limit: CHUNK, after }
      const page = await table.query(query)
      for (const { value } of page.items) {
        const entry = value as HistoryEntry
        at = cursorOf(entry)
        examined += 1
        if (entry.about && keep(entry)) events.push(eventOf(entry, entry.about))
        if (events.length === limit || examined === EXAMINE) return { events, cursor: at }
      }
      after = page.next
    } while (after)
  }
  return { events, cursor: at.at > until ? at : { at: until, node: null, entry: null } }
}

function positionOf({ at, node, entry }: Cursor): NonNullable<Query['after']> {
  // `~` comes behind every uuid.
  const sk = `${at}#${entry ?? '~'}`
  return { key: { pk: `node#${node ?? '~'}`, sk: `history#${sk}` }, at: { pk: listOf(hourOf(at)), sk } }
}

function hourAfter(hour: string): string {
  return hourOf(new Date(Date.parse(`${hour}:00:00.000Z`) + HOUR_MS).toISOString())
}

export function eventOf(entry: HistoryEntry, about: NonNullable<HistoryEntry['about']>): Event {
  const { created_at: at, severity, event: text, node_uuid: subject, conductor, user, event_type } = entry
  const told = { id: cursorText(cursorOf(entry)), at, severity, text, conductor, user }
  const { name, site, from, to } = about
  if (event_type === 'webhook') {
    const webhook = { uuid: subject, name: name ?? subject }
    return { ...told, kind: 'webhook', node: null, node_name: null, site: null, from: null, to: null, webhook }
  }
  if (event_type === 'site' && from === null)
    return { ...told, kind: 'site', node: null, node_name: null, site, from, to, webhook: null }
  const kind = event.shape.kind.safeParse(event_type).data ?? 'power'
  return { ...told, kind, node: subject, node_name: name, site, from, to, webhook: null }
}
