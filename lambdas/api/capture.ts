import { UserError } from '../../contract/api/faults.ts'
import { type Capture, captureRequest, type CaptureRequest, type CaptureView, isOver } from '../../contract/capture.ts'
import type { Command } from '../../contract/messages.ts'
import type { Node } from '../../contract/resources.ts'
import { ConflictError, type Platform } from '../platform.ts'
import { asOf, captureBlob, captureItem, storedCapture } from '../store/captures.ts'
import { enqueue } from '../store/commands.ts'
import { portsOf } from '../store/ports.ts'
import { readJson } from './body.ts'
import type { Api } from './context.ts'
import { nodeOf } from './find.ts'
import { applianceNow, named } from './site-now.ts'

/** Until the site has the command, and until its file is here. */
const ACCEPT_SECONDS = 60
const UPLOAD_SECONDS = 600
const ATTEMPTS = 30
const URL_SECONDS = 900

/** POST and GET /v1/nodes/{ident}/capture: ours. It goes on beside whatever operation the node is in. */
export function captureRoutes(app: Api, platform: Platform): void {
  const path = '/v1/nodes/:ident/capture'
  app.post(path, async (call) => {
    const node = await nodeOf(platform, call.req.param('ident'), call.var.minor)
    const request = captureRequest.parse((await readJson(call)) ?? {})
    const capture = await start(platform, node, request)
    return call.json({ ...capture, url: null } satisfies CaptureView, 202)
  })
  app.get(path, async (call) => {
    const node = await nodeOf(platform, call.req.param('ident'), call.var.minor)
    const found = await storedCapture(platform.table, node.uuid)
    if (found === undefined) throw new UserError(404, `Node ${named(node)} was never captured.`)
    const capture = asOf(found.stored.capture, platform.clock.now())
    const url = capture.phase === 'done' ? await platform.blobs.signGet(captureBlob(capture), URL_SECONDS) : null
    return call.json({ ...capture, url } satisfies CaptureView)
  })
}

async function start(platform: Platform, node: Node, request: CaptureRequest): Promise<Capture> {
  const { table, blobs, clock, ids, log } = platform
  const ports = await portsOf(table, node.uuid)
  if (ports.length === 0)
    throw new UserError(
      409,
      `Node ${named(node)} has no ports, and a capture is of the addresses of its ports: make one first.`,
    )
  const now = clock.now()
  const after = (seconds: number): string => new Date(now.getTime() + seconds * 1000).toISOString()
  const appliance = await applianceNow(platform, node, 'A capture')
  const capture: Capture = {
    uuid: ids.uuid(),
    node_uuid: node.uuid,
    phase: 'asked',
    seconds: request.seconds,
    most_packets: request.packets,
    packets: 0,
    bytes: 0,
    note: null,
    sha256: null,
    asked_at: now.toISOString(),
    updated_at: now.toISOString(),
    deadline: after(ACCEPT_SECONDS + request.seconds + UPLOAD_SECONDS),
  }
  const base = {
    ...request,
    id: ids.uuid(),
    kind: 'capture' as const,
    node: node.uuid,
    generation: Math.max(1, node.generation),
    capture: capture.uuid,
    macs: ports.map(({ address }) => address),
    issued_at: now.toISOString(),
    deadline: after(ACCEPT_SECONDS),
  }
  const command = (seq: number): Command => ({ ...base, seq })
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const before = await storedCapture(table, node.uuid)
    const last = before && asOf(before.stored.capture, now)
    if (last && !isOver(last.phase))
      throw new UserError(409, `Node ${named(node)} is being captured already: wait until that has ended.`)
    const put = captureItem({ capture, appliance: appliance.uuid }, (before?.item.version ?? 0) + 1)
    try {
      await table.write([
        { put, expect: before ? before.item.version : 'absent' },
        ...(await enqueue(table, appliance.uuid, command)),
      ])
      if (last) await blobs.delete(captureBlob(last))
      log.info({ node: node.uuid, site: appliance.site, capture: capture.uuid, ...request }, 'capture asked for')
      return capture
    } catch (error) {
      if (!(error instanceof ConflictError)) throw error // another command took the number, or another capture began
    }
  }
  throw new UserError(409, `Node ${named(node)} could not be captured: its site is too busy, please retry.`)
}
