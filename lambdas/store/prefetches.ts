import { isOver, type Prefetch, TELL_SECONDS } from '../../contract/images/prefetch.ts'
import type { Item, Key, Table } from '../platform.ts'
import { items } from './paging.ts'

export const prefetchKey = (image: string, appliance: string): Key => ({
  pk: `image-prefetch#${image}`,
  sk: appliance,
})

const KEPT_SECONDS = 30 * 86_400

export function prefetchItem(value: Prefetch, appliance: string, version: number): Item {
  const expires = Math.ceil(Date.parse(value.updated_at) / 1000) + KEPT_SECONDS
  return { ...prefetchKey(value.image_uuid, appliance), version, value, expires }
}

const SILENT_MS = 6 * TELL_SECONDS * 1000

/** What nobody hears of any more has failed. */
export function asOf(value: Prefetch, now: Date): Prefetch {
  if (isOver(value.phase) || now.getTime() - Date.parse(value.updated_at) < SILENT_MS) return value
  const note = `nothing was heard of it since ${value.updated_at}: the appliance was restarted, is away, or is too old for it; ask again`
  return { ...value, phase: 'failed', note }
}

export async function prefetchesOf(table: Table, image: string, now: Date): Promise<Prefetch[]> {
  const found: Prefetch[] = []
  for await (const { value } of items(table, { pk: prefetchKey(image, '').pk }))
    found.push(asOf(value as Prefetch, now))
  return found
}
