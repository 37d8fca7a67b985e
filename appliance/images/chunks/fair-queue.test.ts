import { setImmediate as breath } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { openFairQueue } from './fair-queue.ts'

it('gives everybody a turn: who comes last with little waits for no one’s lot', async () => {
  const queue = openFairQueue(2)
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
  const queue = openFairQueue(1)
  const failing = queue.run('a', { urgent: false, work: () => Promise.reject(new Error('lost')) })
  const next = queue.run('a', { urgent: false, work: () => Promise.resolve('done') })
  await expect(failing).rejects.toThrow('lost')
  expect(await next).toBe('done')
})

it('work that becomes urgent while it waits comes first', async () => {
  const queue = openFairQueue(1)
  const order: string[] = []
  const task = (name: string) => ({ urgent: false, work: async () => void order.push(name) })
  const later = task('c')
  const works = [queue.run('x', task('a')), queue.run('x', task('b')), queue.run('x', later)]
  later.urgent = true
  await Promise.all(works)
  expect(order).toEqual(['a', 'c', 'b'])
})
