import { UserError } from '../../contract/api/faults.ts'
import { fieldSince } from '../../contract/api/matrix.ts'
import { MAXIMUM } from '../../contract/api/versions.ts'
import { type Link, links, timeText, visible } from '../../contract/api/views.ts'
import type { HistoryEntry } from '../../contract/resources.ts'
import type { Platform } from '../platform.ts'
import { historyOfNode } from '../store/history.ts'
import type { Api, Call } from './context.ts'
import { nodeOf } from './find.ts'
import { collection, flag, onlyKnown, paging } from './query.ts'

const SHORT = 255

export function historyRoutes(app: Api, platform: Platform): void {
  app.get('/v1/nodes/:ident/history', async (call) => {
    onlyKnown(call, [])
    const { uuid } = await nodeOf(platform, call.req.param('ident'), call.var.minor)
    const { limit, marker, descending } = paging(call)
    const detail = flag('detail', call.req.query('detail')) ?? false
    const entries = await historyOfNode(platform.table, uuid)
    const ordered = descending ? entries.reverse() : entries
    const from = marker === undefined ? 0 : ordered.findIndex((entry) => entry.uuid === marker) + 1
    if (from === 0 && marker !== undefined) throw unknown(marker)
    const page = ordered.slice(from, from + limit)
    const next = page.length === limit ? page.at(-1)?.uuid : undefined
    const views = page.map((entry) => (detail ? whole(call, entry) : short(call, entry)))
    return call.json(collection(call, 'history', `nodes/${uuid}/history`, views, next))
  })
  app.get('/v1/nodes/:ident/history/:entry', async (call) => {
    const { uuid } = await nodeOf(platform, call.req.param('ident'), call.var.minor)
    const wanted = call.req.param('entry')
    const entry = (await historyOfNode(platform.table, uuid)).find((each) => each.uuid === wanted)
    if (!entry) throw unknown(wanted)
    return call.json(whole(call, entry))
  })
}

function short(call: Call, { uuid, created_at, severity, event, node_uuid }: HistoryEntry) {
  return {
    uuid,
    created_at: timeText(created_at),
    severity,
    event: event.slice(0, SHORT),
    links: linksOf(call, node_uuid, uuid),
  }
}

function whole(call: Call, { node_uuid, about: _about, ...entry }: HistoryEntry) {
  const { state = null, target_provision_state = null, duration_seconds = null, created_at } = entry
  const passed = { state, target_provision_state, duration_seconds }
  const view = { ...entry, ...passed, created_at: timeText(created_at), links: linksOf(call, node_uuid, entry.uuid) }
  return visible(view, fieldSince.history, call.var.ours ? MAXIMUM : call.var.minor)
}

function linksOf(call: Call, node: string, entry: string): Link[] {
  return links(call.var.showing, `nodes/${node}/history/${entry}`)
}

function unknown(entry: string): UserError {
  return new UserError(404, `Node history record ${entry} could not be found.`)
}
