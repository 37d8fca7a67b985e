import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { outputOf } from '../qemu/outcome.ts'
import { type Rack, startRack } from '../qemu/rack.ts'

let rack: Rack
let dir: string
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'wan-'))
  rack = await startRack({ name: 'wan', dir, seed: 7, servers: [] })
})
afterAll(async () => {
  await rack?.stop()
  await rm(dir, { recursive: true })
})

/** Pings the cloud from the site; busybox's ping fails when no answer came at all. */
async function ping(count: number, intervalSeconds: number) {
  const argv = ['busybox', 'ping', '-q', '-c', `${count}`, '-i', `${intervalSeconds}`, '-W', '1', rack.cloud.address]
  const said = await outputOf(rack.spawnInSite(argv))
  const received = Number(/(\d+) packets received/.exec(said)?.[1])
  const fastestMs = Number(/min\/avg\/max = ([\d.]+)/.exec(said)?.[1])
  return { received, fastestMs }
}

test('a link left alone loses nothing and is quick', async () => {
  const { received, fastestMs } = await ping(20, 0.01)
  expect(received).toBe(20)
  expect(fastestMs).toBeLessThan(20)
})

test('a delay is one way, so an echo takes twice as long', async () => {
  await rack.wan.set({ delayMs: 40 })
  const { received, fastestMs } = await ping(10, 0.01)
  await rack.wan.set({ delayMs: 0 })
  expect(received).toBe(10)
  expect(fastestMs).toBeGreaterThanOrEqual(80)
  expect(fastestMs).toBeLessThan(130)
})

test('loss takes its share of the frames, and counts them', async () => {
  const before = await rack.wan.counters()
  await rack.wan.set({ loss: 0.2 })
  const { received } = await ping(300, 0.002)
  await rack.wan.set({ loss: 0 })
  const after = await rack.wan.counters()
  // Both ways must succeed: 0.8 × 0.8 = 64 %, with a standard deviation of 2.8 %.
  expect(received).toBeGreaterThan(300 * 0.5)
  expect(received).toBeLessThan(300 * 0.78)
  expect(after.lost - before.lost).toBe(300 - received)
})

test('nothing passes a cut link, and all passes when it is mended', async () => {
  await rack.wan.cut()
  await expect(ping(3, 0.05)).rejects.toThrow('100% packet loss')
  await rack.wan.mend()
  expect((await ping(3, 0.05)).received).toBe(3)
  expect((await rack.wan.counters()).cut).toBeGreaterThan(0)
})

test('a program in the cloud is reached through a door on loopback', async () => {
  const argv = ['busybox', 'nc', '-l', '-p', '8080', '-e', 'echo', 'HTTP/1.0 200 OK\r\n\r\nhello from the cloud']
  const server = rack.spawnInCloud(argv, { stdio: 'ignore' })
  const door = await rack.openCloud(8080)
  try {
    await expect
      .poll(async () => (await fetch(`http://${door.host}:${door.port}/`)).text(), { timeout: 30_000 })
      .toContain('hello from the cloud')
  } finally {
    await door.close()
    server.kill()
  }
})
