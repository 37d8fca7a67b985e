import { z } from 'zod'
import { type HistoryEntry, instant, provisionState, uuid } from './resources.ts'

/** What happens, as told to those who listen: history of all nodes in one line, in the order of time, and webhooks that were given up. */
export const event = z.object({
  /** Where to go on: `<instant>.<node or webhook>.<history entry>`. */
  id: z.string(),
  at: instant,
  /** `site`: what a site noticed, of a node or of itself. */
  kind: z.enum(['provisioning', 'power', 'maintenance', 'health', 'webhook', 'site']),
  severity: z.enum(['INFO', 'ERROR']),
  text: z.string(),
  /** What follows is of nodes; null in the event of a webhook, and but for its name in that of a site. */
  node: uuid.nullable(),
  node_name: z.string().nullable(),
  site: z.string().nullable(),
  from: provisionState.nullable(),
  to: provisionState.nullable(),
  /** Who did it: a site's appliance, or a user. */
  conductor: z.string().nullable(),
  user: z.string().nullable(),
  /** The webhook that it happened to. */
  webhook: z.object({ uuid, name: z.string() }).nullable(),
})
export type Event = z.infer<typeof event>

/** Behind which event to go on; without a node: behind all of that instant. */
export interface Cursor {
  at: string
  node: string | null
  entry: string | null
}

const CURSOR = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z)(?:\.([0-9a-f-]{36})\.([0-9a-f-]{36}))?$/

export function parseCursor(text: string): Cursor | undefined {
  const [, at, node = null, entry = null] = CURSOR.exec(text) ?? []
  return at === undefined || Number.isNaN(Date.parse(at)) ? undefined : { at, node, entry }
}

export function cursorText({ at, node, entry }: Cursor): string {
  return node === null ? at : `${at}.${node}.${entry}`
}

export function cursorOf(entry: Pick<HistoryEntry, 'created_at' | 'node_uuid' | 'uuid'>): Cursor {
  return { at: entry.created_at, node: entry.node_uuid, entry: entry.uuid }
}
