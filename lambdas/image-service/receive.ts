import { createHash } from 'node:crypto'
import { UserError } from '../../contract/api/faults.ts'
import type { ImageRecord } from '../../contract/image-record.ts'
import type { Image } from '../../contract/resources.ts'
import { ConflictError, type Platform } from '../platform.ts'
import { imageBlob, imageItem, imageNameItem } from '../store/images.ts'
import { countedTable } from './counted.ts'
import { withoutTurns } from './hold.ts'
import { requireDeployable } from './input.ts'
import { changeRecord, type Entry, findEntry, recordStore } from './records.ts'
import { type Into, roomFor } from './room.ts'

/** Data of an image, on their way into the blob store: as they come where requests are streams, else as much as fits into one. */

type Needs = Pick<Platform, 'table' | 'blobs' | 'clock' | 'log'>

/** Lambda takes 6 MiB, of which base64 is a quarter. */
const WITHOUT_STREAMS = 4 * 1024 * 1024
const MOST = 2 ** 42
const TELL_MS = 60_000
const QCOW2 = Buffer.from('QFI\u00fb', 'latin1')

export function largest({ blobs }: Pick<Platform, 'blobs'>): number {
  return blobs.putStream ? MOST : WITHOUT_STREAMS
}

/** Stores them, and says what they are. While they come the record is written now and then: it shows that somebody is at it. */
export async function receive(
  platform: Needs,
  { uuid, owner, status, disk_format, container_format }: ImageRecord,
  bytes: AsyncIterable<Uint8Array>,
  into: Into = 'image_size_total',
): Promise<NonNullable<ImageRecord['data']>> {
  const format = requireDeployable({ disk_format, container_format })
  const { blobs, clock } = platform
  const [md5, sha512, limit] = [createHash('md5'), createHash('sha512'), largest(platform)]
  const requireRoom = await roomFor(platform, owner, into)
  let size = 0
  let head = Buffer.alloc(0)
  let told = clock.now().getTime()
  async function* passing(): AsyncGenerator<Uint8Array> {
    for await (const chunk of bytes) {
      size += chunk.byteLength
      if (size > limit) throw tooLarge(limit)
      await requireRoom(size)
      if (head.length < QCOW2.length) {
        head = Buffer.concat([head, chunk.subarray(0, QCOW2.length)])
        if (head.length >= QCOW2.length) requireFormat(head, format)
      }
      md5.update(chunk)
      sha512.update(chunk)
      if (clock.now().getTime() - told > TELL_MS) {
        told = clock.now().getTime()
        await changeRecord(platform, uuid, ({ record }) => {
          if (record.status !== status) throw new UserError(409, `Image ${uuid} got its data from somebody else.`)
          return {}
        })
      }
      yield chunk
    }
    if (head.length < QCOW2.length) requireFormat(head, format)
  }
  if (blobs.putStream) await blobs.putStream(imageBlob(uuid), passing())
  else await blobs.put(imageBlob(uuid), await collected(passing()))
  if (size === 0) {
    await blobs.delete(imageBlob(uuid))
    throw new UserError(400, `Image ${uuid}: no data were sent.`)
  }
  return { size, checksum: md5.digest('hex'), sha512: sha512.digest('hex') }
}

/** What says one thing and is another would be read by programs that trust it (CVE-2024-32498). */
export function requireFormat(head: Buffer, format: 'raw' | 'qcow2'): void {
  const isQcow2 = head.subarray(0, QCOW2.length).equals(QCOW2)
  if (isQcow2 !== (format === 'qcow2'))
    throw new UserError(400, `The data ${isQcow2 ? 'begin' : "don't begin"} as qcow2, and disk_format is ${format}.`)
}

export function tooLarge(limit: number): UserError {
  return new UserError(
    413,
    `Larger than the ${limit} bytes that are taken here in one request. Images of any size come by \`bloomery image push\`, in chunks and only those that the store lacks, or from a web server that has them (import method web-download).`,
  )
}

async function collected(bytes: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  for await (const chunk of bytes) chunks.push(chunk)
  return Buffer.concat(chunks)
}

const ATTEMPTS = 20

/** From now on it can be deployed. Its name there is its id: names of projects' images are not unique. */
export async function activate(
  platform: Needs,
  { record: first }: Entry,
  data: NonNullable<ImageRecord['data']>,
): Promise<ImageRecord> {
  const { table, clock, log } = platform
  let record = first
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const now = clock.now().toISOString()
    const image: Image = {
      uuid: record.uuid,
      name: record.uuid,
      state: 'active',
      size: data.size,
      disk_format: requireDeployable(record),
      os_hash_algo: 'sha512',
      os_hash_value: data.sha512,
      created_at: record.created_at,
      updated_at: now,
      version: 1,
    }
    const download = record.download && withoutTurns(record.download)
    const after: ImageRecord = {
      ...record,
      status: 'active',
      data,
      download,
      updated_at: now,
      version: record.version + 1,
    }
    try {
      await countedTable(table, record, after).write([
        ...recordStore.writes(record, after),
        { put: imageItem(image), expect: 'absent' },
        { put: imageNameItem(image), expect: 'absent' },
      ])
      log.info({ image: record.uuid, name: record.name, size: data.size }, 'image complete')
      return after
    } catch (error) {
      if (!(error instanceof ConflictError)) throw error
      const now = await findEntry(table, record.uuid)
      // Its owner may name it while it comes.
      if (!now || now.image || now.record.status !== first.status) break
      record = now.record
    }
  }
  throw new UserError(409, `Image ${first.uuid} was changed or deleted while its data came: send them again.`)
}
