import { UserError } from '../../contract/api/faults.ts'
import type { ImageRecord } from '../../contract/image-record.ts'
import type { Image } from '../../contract/resources.ts'
import type { Clock, Table } from '../platform.ts'
import { countedTable } from './counted.ts'
import { store } from '../store/entity.ts'
import { imageKey, listImages } from '../store/images.ts'
import { RECORD, RECORDS } from '../store/image-records.ts'
import { all } from '../store/paging.ts'

export const IMPORTS_DUE = 'due-image-imports'

export const recordStore = store<ImageRecord>({
  title: 'image',
  word: RECORD,
  plural: RECORDS,
  lists: ({ status }) => (status === 'importing' ? { due: IMPORTS_DUE } : {}),
})

/** An image as this service knows it: `image` is what can be deployed, once there is something to deploy. */
export interface Entry {
  record: ImageRecord
  image: Image | undefined
}

/** Whoever receives data says so at least this often; who was silent for longer has died. */
export const SILENT_MS = 5 * 60 * 1000

export async function findEntry(table: Table, uuid: string): Promise<Entry | undefined> {
  const [record, image] = await Promise.all([
    recordStore.get(table, uuid),
    table.get(imageKey(uuid)).then((item) => item?.value as Image | undefined),
  ])
  return joined(record, image)
}

export async function recordsOf(table: Table): Promise<Map<string, ImageRecord>> {
  const records = await all<ImageRecord>(table, { index: 'all', pk: RECORDS })
  return new Map(records.map((each) => [each.uuid, each]))
}

/** All there are, in no order: images are few, and Glance's lists are sorted by whatever is asked for. */
export async function allEntries(table: Table): Promise<Entry[]> {
  const records = await recordsOf(table)
  const images = new Map<string, Image>()
  let after: Image | undefined
  do {
    const page: Awaited<ReturnType<typeof listImages>> = await listImages(table, { limit: 1000, after })
    for (const image of page.values) images.set(image.uuid, image)
    after = page.marker
  } while (after)
  return [...new Set([...records.keys(), ...images.keys()])].flatMap(
    (uuid) => joined(records.get(uuid), images.get(uuid)) ?? [],
  )
}

function joined(record: ImageRecord | undefined, image: Image | undefined): Entry | undefined {
  if (record) return { record, image }
  return image && { record: ofPushed(image), image }
}

/** What holds of an image that was pushed by `bloomery image push`: it is everybody's. */
function ofPushed({ uuid, name, state, disk_format, manifest, created_at, updated_at }: Image): ImageRecord {
  return {
    uuid,
    name,
    owner: null,
    visibility: 'public',
    protected: false,
    hidden: false,
    container_format: 'bare',
    disk_format: manifest?.source_format ?? disk_format,
    min_disk: 0,
    min_ram: 0,
    tags: [],
    properties: {},
    members: [],
    status: state,
    data: null,
    download: null,
    created_at,
    updated_at,
    version: 0,
  }
}

/** Changes what is kept of an image; `decide` may run several times. Undefined from it: nothing is to change. */
export async function changeRecord(
  { table, clock }: { table: Table; clock: Clock },
  uuid: string,
  decide: (entry: Entry) => Partial<ImageRecord> | undefined,
): Promise<Entry> {
  for (let attempt = 0; attempt < 20; attempt += 1) {
    const entry = await findEntry(table, uuid)
    if (!entry) throw noImage(uuid)
    const change = decide(entry)
    if (!change) return entry
    const { record } = entry
    const after = { ...record, ...change, updated_at: clock.now().toISOString(), version: record.version + 1 }
    const before = record.version === 0 ? undefined : record
    if (await recordStore.save(countedTable(table, before, after), before, after).catch(unlessTaken))
      return { ...entry, record: after }
  }
  throw new UserError(409, `Image ${uuid} is being changed by many at once, please retry.`)
}

/** The first record of a pushed image was written by somebody else meanwhile. */
function unlessTaken(error: unknown): false {
  if (error instanceof UserError && error.status === 409) return false
  throw error
}

export function noImage(uuid: string): UserError {
  return new UserError(404, `No image found with ID ${uuid.slice(0, 64)}`)
}

/** Of an upload whose receiver died nothing is left. */
export function statusOf({ status, updated_at: at, created_at: first }: ImageRecord, now: Date): ImageRecord['status'] {
  return status === 'saving' && now.getTime() - Date.parse(at ?? first) > SILENT_MS ? 'queued' : status
}
