import { expect, it } from 'vitest'
import { Database } from './database.ts'
import { type Disk, Durability } from './durability.ts'

/** A disk whose syncs end when the test says so. */
function slowDisk() {
  const syncs: Array<(error: Error | null) => void> = []
  let closed = 0
  const disk: Disk = { sync: (done) => void syncs.push(done), syncNow() {}, close: () => void (closed += 1) }
  return { open: () => disk, syncs, closed: () => closed }
}

it('tells those who come while the disk is busy after the next sync, which they share', () => {
  const { open, syncs } = slowDisk()
  const durability = new Durability(open)
  const told: string[] = []
  durability.committed(() => told.push('a'))
  durability.committed(() => told.push('b'))
  durability.committed(() => told.push('c'))
  expect(syncs).toHaveLength(1)
  syncs[0]?.(null)
  expect(told).toEqual(['a'])
  expect(syncs).toHaveLength(2)
  syncs[1]?.(null)
  expect(told).toEqual(['a', 'b', 'c'])
})

it('has nothing to wait for when all is on disk, and else waits for what is committed, no longer', async () => {
  const { open, syncs } = slowDisk()
  const durability = new Durability(open)
  expect(durability.pending()).toBeUndefined()
  durability.committed(() => {})
  const pending = durability.pending()
  syncs[0]?.(null)
  await pending
  expect(syncs).toHaveLength(1)
  expect(durability.pending()).toBeUndefined()
})

it('answers nothing any more after a sync that failed', async () => {
  const { open, syncs } = slowDisk()
  const durability = new Durability(open)
  const told: unknown[] = []
  durability.committed((failure) => told.push(failure))
  syncs[0]?.(new Error('EIO'))
  durability.committed((failure) => told.push(failure))
  expect(told.map(String)).toEqual(Array(2).fill('Error: the database could not be synced to disk; restart'))
  await expect(durability.pending()).rejects.toThrow('restart')
})

it('closes the file when the sync in progress has ended', () => {
  const { open, syncs, closed } = slowDisk()
  const durability = new Durability(open)
  durability.committed(() => {})
  durability.close()
  expect(closed()).toBe(0)
  syncs[0]?.(null)
  expect(closed()).toBe(1)
})

it('lets a write be read at once, and answers it when it is on disk', async () => {
  const { open, syncs } = slowDisk()
  const database = new Database(':memory:', open)
  let answered = false
  const write = database.commit(() => database.sql.exec("INSERT INTO blob VALUES ('k', 'f', 1, 'x')"))
  void write.then(() => (answered = true))
  await expect.poll(() => syncs.length).toBe(1)
  expect(database.sql.prepare('SELECT count(*) AS n FROM blob').get()).toEqual({ n: 1 })
  expect(answered).toBe(false)
  const told = database.durable()
  syncs[0]?.(null)
  await told
  await write
  expect(answered).toBe(true)
  database.close()
})
