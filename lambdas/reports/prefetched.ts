import { isOver, type Prefetch, type PrefetchProgress } from '../../contract/images/prefetch.ts'
import type { Appliance } from '../../contract/resources.ts'
import { ConflictError, type Platform } from '../platform.ts'
import { prefetchItem, prefetchKey } from '../store/prefetches.ts'

const ATTEMPTS = 5

/** How far an appliance is with an image that it was asked for. */
export async function addPrefetched(platform: Platform, appliance: Appliance, told: PrefetchProgress): Promise<void> {
  const { table, clock, log } = platform
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const item = await table.get(prefetchKey(told.image, appliance.uuid))
    const before = item?.value as Prefetch | undefined
    if (!item || !before || (isOver(before.phase) && !isOver(told.phase))) return
    const { phase, percent, note } = told
    const after: Prefetch = { ...before, phase, percent, note, updated_at: clock.now().toISOString() }
    try {
      await table.write([{ put: prefetchItem(after, appliance.uuid, item.version + 1), expect: item.version }])
    } catch (error) {
      if (error instanceof ConflictError) continue
      throw error
    }
    if (phase !== before.phase)
      log.info({ image: told.image, site: appliance.site, appliance: appliance.name, phase, note }, 'prefetch')
    return
  }
}
