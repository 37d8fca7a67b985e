import { UserError } from '../../contract/api/faults.ts'
import type { ImageRecord } from '../../contract/image-record.ts'
import type { Platform } from '../platform.ts'
import { imageBlob } from '../store/images.ts'
import { all } from '../store/paging.ts'
import type { AddressGuard } from '../webhooks/address-guard.ts'
import { failed } from './failed.ts'
import { fetchGuarded, reasonOf } from './fetch.ts'
import { activate, largest, receive, tooLarge } from './receive.ts'
import { findEntry, IMPORTS_DUE } from './records.ts'

const LONGEST_MS = 6 * 3600 * 1000
const TRIES = 3
const REST_MS = 2000

/** Fetches the images that are to be fetched, one after the other. One that was interrupted is fetched anew. */
export async function runImports(platform: Platform, guard: AddressGuard, stop: AbortSignal): Promise<void> {
  for (const { uuid } of await all<ImageRecord>(platform.table, { index: 'due', pk: IMPORTS_DUE })) {
    if (stop.aborted) return
    await runImport(platform, uuid, guard, stop)
  }
}

async function runImport(platform: Platform, uuid: string, guard: AddressGuard, stop: AbortSignal): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    const entry = await findEntry(platform.table, uuid)
    if (!entry || entry.record.status !== 'importing' || !entry.record.download) return
    const { url } = entry.record.download
    try {
      const signal = AbortSignal.any([stop, AbortSignal.timeout(LONGEST_MS)])
      const reply = await fetchGuarded(url, guard, signal)
      const limit = largest(platform)
      if (Number(reply.headers['content-length'] ?? 0) > limit) throw tooLarge(limit)
      const data = await receive(platform, entry.record, reply)
      const now = await findEntry(platform.table, uuid)
      if (now?.record.status === 'importing') await activate(platform, now, data)
      else if (!now) await platform.blobs.delete(imageBlob(uuid)) // it was deleted meanwhile
      return
    } catch (error) {
      if (stop.aborted) return
      const isFinal = error instanceof UserError || attempt === TRIES
      if (isFinal) return failed(platform, uuid, `${new URL(url).host}: ${reasonOf(error)}`)
      await new Promise((resolve) => setTimeout(resolve, REST_MS))
    }
  }
}
