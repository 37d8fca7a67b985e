import { createHash, randomBytes } from 'node:crypto'
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it, vi } from 'vitest'
import { HardwareError } from '../hardware-error.ts'
import { blobServer, breakAfter, hastyClock } from '../testing/blob-server.ts'
import { temporaryFolder } from '../testing/temporary-folder.ts'
import { download, downloadExpecting, type Download } from './download.ts'

const bytes = randomBytes(300_000)
const digest = createHash('sha256').update(bytes).digest('hex')

async function setUp(more: Partial<Download> = {}) {
  const blobs = await blobServer(bytes)
  const troubles: string[] = []
  const percents: number[] = []
  const told = { expired: 0 }
  const job: Download = {
    name: 'debian',
    url: () => blobs.url,
    path: join(temporaryFolder(), 'image.part'),
    algorithm: 'sha256',
    size: bytes.length,
    limit: 1 << 20,
    signal: new AbortController().signal,
    progress: (percent) => percents.push(percent),
    expired: () => (told.expired += 1),
    trouble: (text) => troubles.push(text),
    ...more,
  }
  const go = () => download(job, hastyClock, fetch)
  return { blobs, job, go, troubles, percents, told }
}
const has = (job: Download, size: number) => (): boolean => existsSync(job.path) && statSync(job.path).size === size
const whole = (job: Download): boolean => readFileSync(job.path).equals(bytes)

it('brings the whole and its digest, and tells how far it is', async () => {
  const { go, job, percents, blobs } = await setUp()
  expect(await go()).toBe(digest)
  expect(whole(job)).toBe(true)
  expect(percents.at(-1)).toBe(100)
  expect(percents).toEqual(percents.toSorted((a, b) => a - b))
  expect(blobs.asked).toEqual([undefined])
})

it('goes on where the connection broke', async () => {
  const { go, job, blobs, troubles } = await setUp()
  blobs.fault = (nth, reply) => nth === 1 && breakAfter(reply, bytes, 100_000, { haveCome: has(job, 100_000) })
  expect(await go()).toBe(digest)
  expect(whole(job)).toBe(true)
  expect(blobs.asked).toEqual([undefined, 'bytes=100000-'])
  expect(troubles.length).toBe(1)
})

it('goes on where an earlier life of the appliance stopped', async () => {
  const { go, job, blobs } = await setUp()
  writeFileSync(job.path, bytes.subarray(0, 123_456))
  expect(await go()).toBe(digest)
  expect(blobs.asked).toEqual(['bytes=123456-'])
})

it('asks for nothing when all is here', async () => {
  const { go, job, blobs } = await setUp()
  writeFileSync(job.path, bytes)
  expect(await go()).toBe(digest)
  expect(blobs.asked).toEqual([])
})

it('learns from a 416 that all is here when the size is not known', async () => {
  const { go, job, blobs } = await setUp({ size: null })
  writeFileSync(job.path, bytes)
  expect(await go()).toBe(digest)
  expect(blobs.asked).toEqual([`bytes=${bytes.length}-`])
})

it('begins again where the server knows no ranges', async () => {
  const { go, job, blobs } = await setUp()
  writeFileSync(job.path, bytes.subarray(0, 1000))
  blobs.fault = (_, reply) => {
    reply.writeHead(200, { 'content-length': bytes.length }).end(bytes)
    return true
  }
  expect(await go()).toBe(digest)
  expect(whole(job)).toBe(true)
  expect(blobs.asked).toEqual(['bytes=1000-'])
})

it('does not believe a range that it did not ask for', async () => {
  const { go, job, blobs, troubles } = await setUp()
  writeFileSync(job.path, bytes.subarray(0, 1000))
  blobs.fault = (nth, reply) => nth === 1 && breakAfter(reply, bytes, 500, { from: 2000, haveCome: () => true })
  expect(await go()).toBe(digest)
  expect(whole(job)).toBe(true)
  expect(troubles).toEqual(['the server sent another range'])
})

it.each([500, 502, 503, 429, 408])('tries again after HTTP %i', async (status) => {
  const { go, blobs, troubles } = await setUp()
  blobs.fault = (nth, reply) => nth < 3 && Boolean(reply.writeHead(status).end())
  expect(await go()).toBe(digest)
  expect(troubles).toEqual([`HTTP ${status}`, `HTTP ${status}`])
})

it.each([401, 403, 410])('asks for another URL after HTTP %i, and goes on with that', async (status) => {
  const { go, job, blobs, troubles, told } = await setUp()
  writeFileSync(job.path, bytes.subarray(0, 1000))
  blobs.fault = (nth, reply) => nth === 1 && Boolean(reply.writeHead(status).end())
  expect(await go()).toBe(digest)
  expect(told.expired).toBe(1)
  expect(troubles).toEqual([`its URL is refused (HTTP ${status})`])
  expect(blobs.asked).toEqual(['bytes=1000-', 'bytes=1000-'])
})

it('waits for a URL that has not arrived', async () => {
  const { blobs, job, told } = await setUp()
  let asked = 0
  job.url = () => ((asked += 1) < 4 ? undefined : blobs.url)
  expect(await download(job, hastyClock, fetch)).toBe(digest)
  expect(told.expired).toBe(3)
})

it('takes 404 for an answer, and says of what', async () => {
  const { go, blobs } = await setUp()
  blobs.fault = (_, reply) => Boolean(reply.writeHead(404).end())
  const failed = go()
  await expect(failed).rejects.toThrow("image debian can't be fetched: its server answers HTTP 404")
  await expect(failed).rejects.toBeInstanceOf(HardwareError)
})

it('gives up a connection that is silent, and goes on with another', async () => {
  const { go, blobs, troubles } = await setUp({ stallMs: 200 })
  blobs.fault = (nth, reply) => {
    if (nth === 1) reply.writeHead(200, { 'content-length': bytes.length }).write(bytes.subarray(0, 5000))
    return nth === 1
  }
  expect(await go()).toBe(digest)
  expect(blobs.asked).toEqual([undefined, 'bytes=5000-'])
  expect(troubles[0]).toContain('stalled')
})

it('stops at a source that has more than was ordered, whether or not it says so', async () => {
  const more = await setUp({ size: 1000 })
  await expect(more.go()).rejects.toThrow('its source gives more than 1000 bytes')
  const secretly = await setUp({ size: 1000 })
  secretly.blobs.fault = (_, reply) => Boolean(reply.writeHead(200).end(bytes))
  await expect(secretly.go()).rejects.toThrow('its source gives more than 1000 bytes')
  const large = await setUp({ size: null, limit: 1000 })
  await expect(large.go()).rejects.toThrow("larger than the 1000 bytes that this site's cache allows")
})

it('begins again when what is here is longer than the image', async () => {
  const { go, job, blobs } = await setUp()
  writeFileSync(job.path, Buffer.alloc(bytes.length + 1))
  expect(await go()).toBe(digest)
  expect(whole(job)).toBe(true)
  expect(blobs.asked).toEqual([undefined])
})

it('asks for the bytes as they are', async () => {
  const { go, blobs } = await setUp()
  let encoding: unknown
  blobs.fault = (_, __, asked) => {
    encoding = asked.headers['accept-encoding']
    return false
  }
  await go()
  expect(encoding).toBe('identity')
})

it('ends when it is told to, and what is here stays', async () => {
  const stop = new AbortController()
  const { go, job, blobs } = await setUp({ signal: stop.signal })
  blobs.fault = (_, reply) => {
    reply.writeHead(200, { 'content-length': bytes.length }).write(bytes.subarray(0, 5000))
    void vi.waitUntil(has(job, 5000), { timeout: 30_000 }).finally(() => stop.abort(new Error('superseded')))
    return true
  }
  await expect(go()).rejects.toThrow('superseded')
  expect(readFileSync(job.path).length).toBe(5000)
})

it('says that the disk is full, and waits no hour for that', async () => {
  const { job } = await setUp({ path: '/dev/full' })
  await expect(download(job, hastyClock, fetch)).rejects.toThrow("no space left on this site's disk for image debian")
})

it('never says the URL, which is a key', async () => {
  const { go, blobs, troubles } = await setUp({ stallMs: 100 })
  blobs.fault = (nth, reply) => {
    if (nth === 1) return Boolean(reply.writeHead(403).end())
    if (nth === 2) reply.destroy()
    return nth <= 3
  }
  await go()
  expect(troubles.length).toBe(3)
  expect(troubles.join()).not.toContain('hush')
})

it('holds torn bytes of an earlier life against nobody', async () => {
  const { job, blobs } = await setUp()
  writeFileSync(job.path, Buffer.alloc(100_000)) // as a power cut leaves them: the size is there, the bytes are not
  expect(await downloadExpecting(digest, job, hastyClock, fetch)).toBe(digest)
  expect(whole(job)).toBe(true)
  expect(blobs.asked).toEqual(['bytes=100000-', undefined])
})

it('leaves nothing of what is not what was expected', async () => {
  const { job, blobs } = await setUp()
  expect(await downloadExpecting('0'.repeat(64), job, hastyClock, fetch)).toBe(digest)
  expect(existsSync(job.path)).toBe(false)
  expect(blobs.asked).toEqual([undefined])
})
