import type { Allocation } from '../../contract/allocation.ts'
import { allocate } from '../conductor/allocate.ts'
import type { Platform } from '../platform.ts'
import { ALLOCATIONS_DUE } from '../store/allocations.ts'
import { dueItems } from './due.ts'

/** Allocations whose placement was interrupted. */
export async function resumeAllocations(platform: Platform): Promise<void> {
  for await (const { value } of dueItems(platform.table, ALLOCATIONS_DUE, platform.clock.now()))
    await allocate(platform, (value as Allocation).uuid)
}
