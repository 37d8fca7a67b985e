import { type Capture, CAPTURE_BYTES, capturePhases, isOver } from '../../contract/capture.ts'
import type { Report } from '../../contract/messages.ts'
import type { Appliance } from '../../contract/resources.ts'
import { send } from '../conductor/publish.ts'
import { ConflictError, type Platform } from '../platform.ts'
import { captureBlob, captureItem, storedCapture } from '../store/captures.ts'

type Captured = Extract<Report, { kind: 'capture' }>

const URL_SECONDS = 900
const ATTEMPTS = 30

/** What a site says of a capture, if it is the node's last one and the site was asked for it. */
export async function addCaptured(platform: Platform, appliance: Appliance, report: Captured): Promise<void> {
  const { table, blobs, log } = platform
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const found = await storedCapture(table, report.node)
    if (found?.stored.appliance !== appliance.uuid) return
    const { capture } = found.stored
    if (capture.uuid !== report.capture) {
      // Another was asked for meanwhile, and the file of this one may have come after it was to be gone.
      if (report.phase === 'done') await blobs.delete(captureBlob({ node_uuid: report.node, uuid: report.capture }))
      return
    }
    const after = await applied(platform, capture, report)
    if (after === undefined) return
    try {
      await table.write([
        { put: captureItem({ ...found.stored, capture: after }, found.item.version + 1), expect: found.item.version },
      ])
    } catch (error) {
      if (error instanceof ConflictError) continue
      throw error
    }
    if (after.phase === 'captured') await offerPlace(platform, appliance, after)
    if (after.phase !== 'running')
      log.info({ node: report.node, site: appliance.site, phase: after.phase, note: after.note }, 'capture')
    return
  }
  throw new Error(`capture ${report.capture}: what a site said of it could not be written`)
}

/** Undefined: it is no news. */
async function applied({ blobs, clock }: Platform, before: Capture, report: Captured): Promise<Capture | undefined> {
  const { phase, packets, bytes, sha256, note } = report
  const goesBack = capturePhases.indexOf(phase) < capturePhases.indexOf(before.phase)
  if (isOver(before.phase) || goesBack) return undefined
  const after = { ...before, phase, packets, bytes, sha256, note, updated_at: clock.now().toISOString() }
  if (phase === 'captured' && (sha256 === null || bytes === 0 || bytes > CAPTURE_BYTES))
    return { ...after, phase: 'failed', note: `the site offered ${bytes} bytes, at most ${CAPTURE_BYTES} are taken` }
  if (phase !== 'done') return after
  const stored = await blobs.head(captureBlob(before))
  if (stored?.size === before.bytes && stored.sha256 === before.sha256)
    return { ...after, bytes: before.bytes, sha256: before.sha256 }
  return { ...after, phase: 'failed', note: 'the site says that it has put the file, and it is not here' }
}

async function offerPlace(platform: Platform, appliance: Appliance, capture: Capture): Promise<void> {
  const { uuid, bytes: size, sha256 } = capture
  const place = await platform.blobs.signPut(captureBlob(capture), { size, sha256: sha256 ?? '' }, URL_SECONDS)
  await send(platform, appliance.uuid, { v: 1, kind: 'upload', capture: uuid, ...place })
}
