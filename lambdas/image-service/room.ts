import { limitsOf, requireRoom, usageOf } from '../openstack/quotas.ts'
import type { Platform } from '../platform.ts'
import { inMib, type ImageAmounts } from './counted.ts'

/** Where data go to: into the image, or beside it until they are imported. */
export type Into = keyof Pick<ImageAmounts, 'image_size_total' | 'image_stage_total'>

/** Throws when it is asked about more bytes than the project has room for. What counts is what is charged in the end. */
export async function roomFor(
  { table }: Pick<Platform, 'table'>,
  project: string | null,
  into: Into,
): Promise<(bytes: number) => Promise<void>> {
  if (project === null) return () => Promise.resolve()
  const [limits, used] = await Promise.all([limitsOf(table, project), usageOf(table, project)])
  const left = limits[into] < 0 ? Infinity : limits[into] - used[into]
  return async (bytes) => {
    if (inMib(bytes) > left) await requireRoom(table, project, { [into]: inMib(bytes) })
  }
}
