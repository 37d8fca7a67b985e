import { randomUUID } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { underTest, type Make } from './under-test.ts'

const patience = { timeout: 60_000, interval: 50 }

export function queueContract(name: string, make: Make): void {
  describe(`${name}: queue`, () => {
    const made = underTest(make)

    it('delivers every body that was sent', async () => {
      const sent = Array.from({ length: 25 }, () => randomUUID())
      const got = new Set<string>()
      const stop = await made().consume(async (bodies) => {
        for (const body of bodies) got.add(body)
        return []
      })
      await Promise.all(sent.map((body) => made().queue.send(body)))
      await expect.poll(() => sent.filter((body) => got.has(body)).length, patience).toBe(25)
      await stop()
    })

    it('brings back the bodies that were named as failed, and only these', async () => {
      const sent = Array.from({ length: 6 }, (_, index) => `${index} ${randomUUID()}`)
      const attempts = new Map<string, number>()
      const stop = await made().consume(async (bodies) =>
        bodies.flatMap((body, index) => {
          attempts.set(body, (attempts.get(body) ?? 0) + 1)
          return body.startsWith('3 ') && attempts.get(body) === 1 ? [index] : []
        }),
      )
      for (const body of sent) await made().queue.send(body)
      await expect.poll(() => sent.map((body) => attempts.get(body)), patience).toEqual([1, 1, 1, 2, 1, 1])
      await stop()
    })

    it('brings everything back when the handler throws', async () => {
      const body = randomUUID()
      let attempts = 0
      const stop = await made().consume(async (bodies) => {
        if (!bodies.includes(body)) return []
        attempts += 1
        if (attempts === 1) throw new Error('not this time')
        return []
      })
      await made().queue.send(body)
      await expect.poll(() => attempts, patience).toBeGreaterThanOrEqual(2)
      await stop()
    })

    it('carries 64 KiB and every character', async () => {
      const body = `${'ä€😀"\\\n'.repeat(4000)}${randomUUID()}`
      const got: string[] = []
      const stop = await made().consume(async (bodies) => {
        got.push(...bodies)
        return []
      })
      await made().queue.send(body)
      await expect.poll(() => got.includes(body), patience).toBe(true)
      await stop()
    })
  })
}
