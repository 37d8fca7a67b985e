import { afterEach, beforeEach, expect, it } from 'vitest'
import { Database } from './database.ts'
import { SqliteQueue } from './queue.ts'
import { consumeUplinks, queueUplink } from './uplinks.ts'

const log = { info() {}, warn() {}, error() {} }
let database: Database
let queue: SqliteQueue
let stop: (() => Promise<void>) | undefined
beforeEach(() => {
  database = new Database(':memory:')
  queue = new SqliteQueue({ database, name: 'reports', clock: { now: () => new Date() }, log, tries: 2, pauseMs: 1 })
})
afterEach(async () => {
  await stop?.()
  database.close()
})

it('hands an appliance’s messages on together, in order, and beside those of others', async () => {
  const got: Array<[string, string[]]> = []
  for (const payload of ['a1', 'b1', 'a2']) await queueUplink(queue, payload.slice(0, 1), payload)
  stop = consumeUplinks(queue, async (appliance, payloads) => void got.push([appliance, payloads]), log)
  await expect
    .poll(() => got)
    .toEqual([
      ['a', ['a1', 'a2']],
      ['b', ['b1']],
    ])
})

it('tries each by itself where they fail together, so that only the one that fails comes again', async () => {
  const handled: string[] = []
  for (const payload of ['1', 'poison', '3']) await queueUplink(queue, 'a', payload)
  const handler = async (_: string, payloads: string[]): Promise<void> => {
    if (payloads.includes('poison')) throw new Error('cannot')
    handled.push(...payloads)
  }
  stop = consumeUplinks(queue, handler, log)
  const dead = () => database.sql.prepare('SELECT tries FROM message_dead').all()
  await expect.poll(dead).toEqual([{ tries: 2 }])
  expect(handled).toEqual(['1', '3'])
})
