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

// What comes more than a second late, ping takes for lost; what the link lost, it has counted.
test('a link left alone loses nothing and is quick', async () => {
  const { received, fastestMs } = await ping(20, 0.01)
  const { lost, cut, overflowed, forwarded } = await rack.wan.counters()
  expect([lost, cut, overflowed]).toEqual([0, 0, 0])
  expect(forwarded).toBeGreaterThanOrEqual(40)
  expect(received).toBeGreaterThan(0)
  expect(fastestMs).toBeLessThan(400)
})

test('a delay is one way, so an echo takes twice as long', async () => {
  await rack.wan.set({ delayMs: 200 })
  const { received, fastestMs } = await ping(10, 0.01)
  await rack.wan.set({ delayMs: 0 })
  expect(received).toBeGreaterThan(0)
  expect(fastestMs).toBeGreaterThanOrEqual(400)
  expect(fastestMs).toBeLessThan(800)
})

test('loss takes its share of the frames, and counts them', async () => {
  const before = await rack.wan.counters()
  await rack.wan.set({ loss: 0.2 })
  const { received } = await ping(300, 0.002)
  await rack.wan.set({ loss: 0 })
  const after = await rack.wan.counters()
  // Both ways must succeed: 0.8 × 0.8 = 64 %, with a standard deviation of 2.8 %. ARP is lost and counted too.
  const lost = after.lost - before.lost
  expect(lost).toBeGreaterThan(300 * 0.22)
  expect(lost).toBeLessThan(300 * 0.5)
  expect(received).toBeGreaterThan(0)
  expect(received).toBeLessThan(300 * 0.78)
})

test('nothing passes a cut link, and all passes when it is mended', async () => {
  await rack.wan.cut()
  await expect(ping(3, 0.05)).rejects.toThrow('100% packet loss')
  await rack.wan.mend()
  expect((await ping(3, 0.05)).received).toBeGreaterThan(0)
  expect((await rack.wan.counters()).cut).toBeGreaterThan(0)
})

test('a program in the cloud is reached through a door on loopback', async () => {
  // It reads what it is asked: with that unread, the end of the connection would overtake the answer. And it answers again.
  const answer = `while read -r line && [ "\${#line}" -gt 1 ]; do :; done; printf 'HTTP/1.0 200 OK\\r\\n\\r\\nhello from the cloud'`
  const argv = ['busybox', 'nc', '-ll', '-p', '8080', '-e', 'sh', '-c', answer]
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
