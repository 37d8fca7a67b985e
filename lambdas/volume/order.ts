import { type Volume, type VolumeStatus, type WantedVolume } from '../../contract/block-storage.ts'
import { iscsiName } from '../../contract/boot-volume.ts'
import type { ImageReference } from '../../contract/plan-sources.ts'

/** What a site is to have of a volume, and what its answer makes of the volume. Pure. */

/** What its creation begins with; later ones don't say it any more. */
export type FirstSource = WantedVolume['source']

export function wantedOf(volume: Volume, image: ImageReference | null): WantedVolume | null {
  if (volume.status === 'deleting') return null
  return {
    gib: volume.size,
    source: volume.status === 'creating' ? sourceOf(volume, image) : null,
    snapshots: volume.snapshots
      .filter(({ status }) => status === 'creating' || status === 'available')
      .map(({ uuid }) => uuid),
    exports: volume.attachments.flatMap(({ uuid, connector, secret, status }) =>
      connector && secret && status !== 'detaching' && iscsiName.safeParse(connector.initiator).success
        ? [{ attachment: uuid, initiator: connector.initiator, secret }]
        : [],
    ),
  }
}

function sourceOf({ source }: Volume, image: ImageReference | null): FirstSource {
  if (image) return { kind: 'image', image }
  if (source?.kind === 'snapshot' && source.snapshot !== undefined)
    return { kind: 'snapshot', volume: source.volume, snapshot: source.snapshot }
  return source ? { kind: 'volume', volume: source.volume } : null
}

/** What the site says of the newest generation. */
export interface Answer {
  phase: 'done' | 'failed'
  note: string | null
  exports: { attachment: string; target_iqn: string; target_portal: string; target_lun: number }[]
}

/** 'gone': the volume is no more. */
export function answered(volume: Volume, { phase, note, exports }: Answer, now: Date): Partial<Volume> | 'gone' {
  const settled = { settled: volume.generation, deadline: null }
  if (phase === 'failed') return { ...settled, ...failed(volume, note ?? 'the site did not say why', now) }
  if (volume.status === 'deleting') return 'gone'
  const at = now.toISOString()
  const attachments = volume.attachments
    .filter(({ status }) => status !== 'detaching')
    .map((each) => {
      const found = exports.find(({ attachment }) => attachment === each.uuid)
      if (!found) return each
      const { attachment: _attachment, ...exported } = found
      return { ...each, exported }
    })
  return {
    ...settled,
    status: statusAfter(volume.status, attachments),
    former_size: null,
    fault: null,
    attachments,
    snapshots: volume.snapshots.flatMap((each) => {
      if (each.status === 'deleting') return []
      return [each.status === 'creating' ? { ...each, status: 'available' as const, updated_at: at } : each]
    }),
  }
}

function statusAfter(status: VolumeStatus, attachments: Volume['attachments']): VolumeStatus {
  if (status === 'creating' || status === 'extending') return 'available'
  if (status === 'detaching') return statusBy(attachments)
  return status
}

/** That which the attachments that are left make of a volume. */
export function statusBy(attachments: Volume['attachments']): VolumeStatus {
  if (attachments.some(({ status }) => status === 'attached')) return 'in-use'
  if (attachments.some(({ status }) => status === 'attaching')) return 'attaching'
  return attachments.length > 0 ? 'reserved' : 'available'
}

const afterFailure: Partial<Record<VolumeStatus, VolumeStatus>> = {
  creating: 'error',
  extending: 'error_extending',
  deleting: 'error_deleting',
}

function failed(volume: Volume, fault: string, now: Date): Partial<Volume> {
  const at = now.toISOString()
  return {
    status: afterFailure[volume.status] ?? volume.status,
    size: volume.former_size ?? volume.size,
    former_size: null,
    fault,
    snapshots: volume.snapshots.map((each) =>
      each.status === 'creating' || each.status === 'deleting' ? { ...each, status: 'error', updated_at: at } : each,
    ),
  }
}
