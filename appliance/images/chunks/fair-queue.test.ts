import { setImmediate as breath } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { openFairQueue } from './fair-queue.ts'

it('gives everybody a turn: who comes last with little waits for no one’s lot', async () => {
  const queue = openFairQueue(() => 2)
  const order: string[] = []
  const task = (name: string, urgent = false) => ({
    urgent,
    work: async () => {
      order.push(name)
      await breath()
    },
  })
  const works = Array.from({ length: 40 }, (_, index) => queue.run('many', task(`many ${index}`)))
  works.push(queue.run('one', task('one')), queue.run('many', task('urgent', true)))
  await Promise.all(works)
  expect(order).toHaveLength(42)
  expect(order.indexOf('one')).toBeLessThan(5)
  expect(order.indexOf('urgent')).toBeLessThan(5)
})

it('goes on after a failure, which only its owner hears of', async () => {
  const queue = openFairQueue(() => 1)
  const failing = queue.run('a', { urgent: false, work: () => Promise.reject(new Error('lost')) })
  const next = queue.run('a', { urgent: false, work: () => Promise.resolve('done') })
  await expect(failing).rejects.toThrow('lost')
  expect(await next).toBe('done')
})

it('work that becomes urgent while it waits comes first', async () => {
  const queue = openFairQueue(() => 1)
  const order: string[] = []
  const task = (name: string) => ({ urgent: false, work: async () => void order.push(name) })
  const later = task('c')
  const works = [queue.run('x', task('a')), queue.run('x', task('b')), queue.run('x', later)]
  later.urgent = true
  await Promise.all(works)
  expect(order).toEqual(['a', 'c', 'b'])
})

it('forty deploys with all of their images to fetch keep a forty-first waiting for one turn of each, not for their work', async () => {
  const queue = openFairQueue(() => 16)
  let begun = 0
  const task = (urgent: boolean) => ({
    urgent,
    work: async () => {
      begun += 1
      await breath()
    },
  })
  const works = Array.from({ length: 40 }, (_, deploy) =>
    Array.from({ length: 100 }, () => queue.run(`deploy ${deploy}`, task(true))),
  ).flat()
  // The eleventh of the first one's: all are at it.
  await works[10]
  for (let chunk = 0; chunk < 10; chunk += 1) {
    const before = begun
    await queue.run('the forty-first', task(false))
    // One of each other's, and those that were at it.
    expect(begun - before).toBeLessThanOrEqual(40 + 2 * 16 + 1)
    expect(begun).toBeLessThan(4000)
  }
  await Promise.all(works)
  expect(begun).toBe(4010)
})
