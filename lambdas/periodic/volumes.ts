import type { Volume } from '../../contract/block-storage.ts'
import type { Platform } from '../platform.ts'
import { changeVolume } from '../volume/change-volume.ts'
import { answered } from '../volume/order.ts'
import { orderVolume } from '../volume/reconcile.ts'
import { VOLUMES_DUE } from '../volume/store.ts'
import { dueItems } from './due.ts'

/** Volumes whose site was not told yet, because something was interrupted, are brought to it; those of a site that doesn't answer fail. */
export async function seeToVolumes(platform: Platform): Promise<void> {
  const now = platform.clock.now()
  for await (const { value } of dueItems(platform.table, VOLUMES_DUE, now)) {
    const { uuid, ordered, generation } = value as Volume
    if (ordered < generation) await orderVolume(platform, uuid)
    await changeVolume(platform, uuid, (volume) => {
      if (volume.deadline === null || new Date(volume.deadline) > now) return undefined
      const note = `the site did not say by ${volume.deadline} what came of it: is its appliance there?`
      const after = answered(volume, { phase: 'failed', note, exports: [] }, now)
      // What it says later of this generation still counts.
      return after === 'gone' ? undefined : { ...after, settled: volume.settled }
    })
  }
}
