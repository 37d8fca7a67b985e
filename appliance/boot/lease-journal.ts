import { constants } from 'node:fs'
import { open, rename, type FileHandle } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Lease } from '@bloomery/dhcp/lease.ts'
import { decodeRecords, encodeRecords, RECORD, type LeaseRecord } from './lease-record.ts'

const MAGIC = Buffer.from('BLMLEAS1')
const COMPACT_AT_ONCE = 4_096
/** Each write returns when its bytes, and what is needed to find them, are on disk. */
const DURABLE = constants.O_RDWR | constants.O_CREAT | constants.O_DSYNC

export interface LeaseJournal {
  leases(): IterableIterator<Lease>
  /** All of it is on disk when this is done. After a failure none of it counts, and the next write begins where this one did. */
  write(records: readonly LeaseRecord[]): Promise<void>
  close(): Promise<void>
}

/**
 * Leases that must survive a power cut: changes are appended, and the file is written anew when most of it is old. One writer at a
 * time; `spare` is how many old records it may carry.
 */
export async function openLeaseJournal(path: string, spare = 100_000): Promise<LeaseJournal> {
  const current = new Map<number, Lease>()
  const apply = (record: LeaseRecord): void => {
    if (record.state === 'removed') current.delete(record.address)
    else current.set(record.address, record)
  }
  const before = await contents(path)
  for (const record of before) apply(record)
  let file = await rewritten(path, current.values())
  let end = MAGIC.length + current.size * RECORD
  let torn = false

  const compact = async (): Promise<void> => {
    const fresh = await rewritten(path, current.values())
    await file.close()
    file = fresh
    end = MAGIC.length + current.size * RECORD
  }
  return {
    leases: () => current.values(),
    async write(records) {
      if (torn) await file.truncate(end) // what is behind `end` must never be read behind what comes now
      torn = true
      const bytes = encodeRecords(records)
      await writeAll(file, bytes, end)
      torn = false
      end += bytes.length
      for (const record of records) apply(record)
      if (end / RECORD > 2 * current.size + spare) await compact()
    },
    close: () => file.close(),
  }
}

async function contents(path: string): Promise<LeaseRecord[]> {
  const file = await open(path, DURABLE, 0o600)
  try {
    const bytes = await file.readFile()
    if (bytes.length === 0) return []
    if (!bytes.subarray(0, MAGIC.length).equals(MAGIC))
      throw new Error(`${path} is no lease journal: move it away, and see that no address in use is in a range`)
    return decodeRecords(bytes.subarray(MAGIC.length))
  } finally {
    await file.close()
  }
}

/** A file of what counts takes the old one's place in one step, after it is on disk. */
async function rewritten(path: string, leases: Iterable<Lease>): Promise<FileHandle> {
  const fresh = `${path}.new`
  const file = await open(fresh, constants.O_RDWR | constants.O_CREAT | constants.O_TRUNC, 0o600)
  try {
    let at = await writeAll(file, MAGIC, 0)
    let piece: Lease[] = []
    const flush = async (): Promise<void> => void (at = await writeAll(file, encodeRecords(piece.splice(0)), at))
    for (const lease of leases) if (piece.push(lease) === COMPACT_AT_ONCE) await flush()
    await flush()
    await file.sync()
  } finally {
    await file.close()
  }
  await rename(fresh, path)
  const directory = await open(dirname(path))
  try {
    await directory.sync()
  } finally {
    await directory.close()
  }
  return open(path, DURABLE)
}

async function writeAll(file: FileHandle, bytes: Uint8Array, from: number): Promise<number> {
  for (let done = 0; done < bytes.length;) {
    const { bytesWritten } = await file.write(bytes, done, bytes.length - done, from + done)
    done += bytesWritten
  }
  return from + bytes.length
}
