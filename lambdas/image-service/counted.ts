import type { ImageRecord } from '../../contract/image-record.ts'
import { charging } from '../openstack/quotas.ts'
import type { Table } from '../platform.ts'

const MIB = 2 ** 20
export const inMib = (bytes: number): number => Math.ceil(bytes / MIB)

const none = { image_count_total: 0, image_count_uploading: 0, image_size_total: 0, image_stage_total: 0 }
export type ImageAmounts = typeof none
export const imageResources = Object.keys(none) as Array<keyof ImageAmounts>

function amountsOf(record: ImageRecord | undefined, project: string): ImageAmounts {
  if (record?.owner !== project) return none
  const { status, data } = record
  const isStaged = status === 'uploading'
  const size = inMib(data?.size ?? 0)
  return {
    image_count_total: 1,
    image_count_uploading: isStaged || status === 'saving' || status === 'importing' ? 1 : 0,
    image_size_total: isStaged ? 0 : size,
    image_stage_total: isStaged ? size : 0,
  }
}

/** The table by which an image becomes what it shall be: what its project has more or less of by that, or the one that it was of before, is
 * counted in the same transaction. */
export function countedTable(table: Table, before: ImageRecord | undefined, after: ImageRecord | undefined): Table {
  let counted = table
  for (const project of new Set([before?.owner, after?.owner])) {
    if (!project) continue
    const [was, is] = [amountsOf(before, project), amountsOf(after, project)]
    const more = Object.fromEntries(imageResources.map((name) => [name, is[name] - was[name]])) as ImageAmounts
    if (imageResources.some((name) => more[name] !== 0)) counted = charging(counted, project, more)
  }
  return counted
}
