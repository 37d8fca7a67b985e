import type { ExportedVolume, WantedVolume } from '../../contract/block-storage.ts'
import type { ImageReference } from '../../contract/plan-sources.ts'
import { HardwareError } from '../hardware-error.ts'
import { copyDisk, type Disks } from './disks.ts'

/** Makes one volume what is wanted of it. Whatever was done of that before an interruption is found done. */

export interface ApplyParts {
  disks: Disks
  /** GiB that may be promised. */
  gib: number
  /** GiB that other volumes have been promised. */
  promised: () => number
  fill(path: string, image: ImageReference, gib: number): Promise<void>
  /** Has these be had, and nobody else of this volume. */
  share(exports: WantedVolume['exports']): Promise<ExportedVolume[]>
  signal: AbortSignal
}

const GIB = 2 ** 30

export async function applyVolume(
  volume: string,
  wanted: WantedVolume | null,
  parts: ApplyParts,
): Promise<ExportedVolume[]> {
  const { disks, signal } = parts
  if (wanted === null) {
    await parts.share([])
    await disks.remove(volume)
    return []
  }
  const size = await disks.size(volume)
  const left = parts.gib - parts.promised()
  if ((size ?? 0) < wanted.gib * GIB && wanted.gib > left)
    throw new HardwareError(
      `the appliance has ${Math.max(0, left)} GiB left of what it may promise, and ${wanted.gib} are asked for`,
    )
  if (size === undefined) await disks.make(volume, wanted.gib, filler(wanted, parts))
  else if (size < wanted.gib * GIB) {
    // An initiator that is logged in would go by the former size.
    await parts.share([])
    await disks.grow(volume, wanted.gib)
  }
  const there = await disks.snapshots(volume)
  for (const snapshot of wanted.snapshots)
    if (!there.includes(snapshot)) await disks.takeSnapshot(volume, snapshot, signal)
  for (const snapshot of there) if (!wanted.snapshots.includes(snapshot)) await disks.removeSnapshot(volume, snapshot)
  return parts.share(wanted.exports)
}

function filler({ source, gib }: WantedVolume, parts: ApplyParts): ((path: string) => Promise<void>) | undefined {
  const { disks, signal } = parts
  switch (source?.kind) {
    case undefined:
      return undefined
    case 'image':
      return (path) => parts.fill(path, source.image, gib)
    case 'volume':
      return (path) => copyDisk(disks.path(source.volume), path, signal)
    case 'snapshot':
      return (path) => copyDisk(disks.snapshotPath(source.volume, source.snapshot), path, signal)
  }
}
