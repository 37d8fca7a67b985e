import { randomUUID } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { topics } from '../../contract/topics.ts'
import { underTest, type Make } from './under-test.ts'

const patience = { timeout: 60_000, interval: 20 }

export function busContract(name: string, make: Make): void {
  describe(`${name}: bus`, () => {
    const made = underTest(make)

    it('brings a message to the appliance it is for, and to no other', async () => {
      const [mine, other] = [randomUUID(), randomUUID()]
      const [site, elsewhere] = [await made().join(mine), await made().join(other)]
      const payloads = Array.from({ length: 20 }, (_, index) => JSON.stringify({ index, text: 'ä€😀' }))
      for (const payload of payloads) await made().platform.bus.publish(topics.down(mine), payload)
      await made().platform.bus.publish(topics.down(other), 'for the other')
      await expect.poll(() => site.received, patience).toEqual(payloads)
      await expect.poll(() => elsewhere.received, patience).toEqual(['for the other'])
      await Promise.all([site.close(), elsewhere.close()])
    })

    it('resolves when nobody listens', async () => {
      await expect(made().platform.bus.publish(topics.down(randomUUID()), 'hello?')).resolves.toBeUndefined()
    })

    it('carries 60 KiB', async () => {
      const appliance = randomUUID()
      const site = await made().join(appliance)
      const payload = 'x'.repeat(60 * 1024)
      await made().platform.bus.publish(topics.down(appliance), payload)
      await expect.poll(() => site.received.map(({ length }) => length), patience).toEqual([payload.length])
      await site.close()
    })

    it('brings what an appliance publishes to the reports function, with the appliance’s name', async () => {
      const appliance = randomUUID()
      const got: string[] = []
      const stop = await made().uplinks(async (from, body) => {
        if (from === appliance) got.push(body)
      })
      const site = await made().join(appliance)
      const payloads = Array.from({ length: 10 }, (_, index) => `${index} ä€😀 ${'x'.repeat(5000)}`)
      for (const payload of payloads) await site.publish(payload)
      await expect.poll(() => [...new Set(got)].sort(), patience).toEqual(payloads)
      await site.close()
      await stop()
    })

    it('brings a report again when the reports function fails', async () => {
      const appliance = randomUUID()
      let attempts = 0
      const stop = await made().uplinks(async (from) => {
        if (from !== appliance) return
        attempts += 1
        if (attempts === 1) throw new Error('not this time')
      })
      const site = await made().join(appliance)
      await site.publish('{}')
      await expect.poll(() => attempts, patience).toBeGreaterThanOrEqual(2)
      await site.close()
      await stop()
    })
  })
}
