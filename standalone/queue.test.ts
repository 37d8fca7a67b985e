import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Database } from './database.ts'
import { SqliteQueue } from './queue.ts'

const clock = { now: () => new Date() }
let database: Database
let logged: string[] = []
const note = (_: Record<string, unknown>, message: string) => void logged.push(message)
const open = (options: { leaseMs?: number } = {}) =>
  new SqliteQueue({
    database,
    name: 'q',
    clock,
    log: { info: note, warn: note, error: note },
    tries: 3,
    pauseMs: 2,
    ...options,
  })

beforeEach(() => {
  logged = []
  database = new Database(':memory:')
})
afterEach(() => database.close())

describe('the queue', () => {
  it('sets a body aside that always fails, says so, and goes on with the others', async () => {
    const queue = open()
    const handled: string[] = []
    const stop = queue.consume(async (bodies) =>
      bodies.flatMap((body, index) => (body === 'poison' ? [index] : (handled.push(body), []))),
    )
    for (const body of ['a', 'poison', 'b']) await queue.send(body)
    const dead = () => database.sql.prepare('SELECT body, tries FROM message_dead').all()
    await expect.poll(dead).toEqual([{ body: 'poison', tries: 3 }])
    expect(handled).toEqual(['a', 'b'])
    expect(logged).toContain('message set aside in message_dead')
    await stop()
  })

  it('takes a message back from a handler that never ends', async () => {
    const queue = open({ leaseMs: 20 })
    let calls = 0
    const stop = queue.consume((_bodies) => {
      calls += 1
      return calls === 1 ? new Promise(() => undefined) : Promise.resolve([])
    })
    await queue.send('a')
    await expect.poll(() => calls).toBe(2)
    await stop()
  })

  it('delivers at once after a restart what a dead process had leased', async () => {
    await open().send('a')
    const leasedForLong = clock.now().getTime() + 3_600_000
    database.sql.prepare('UPDATE message SET visible_at = ?').run(leasedForLong)
    const got: string[] = []
    const stopNext = open().consume(async (bodies) => {
      got.push(...bodies)
      return []
    })
    await expect.poll(() => got).toEqual(['a'])
    await stopNext()
  })
})
