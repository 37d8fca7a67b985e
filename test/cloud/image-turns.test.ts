import { createHash, randomBytes, randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { findEntry, recordStore } from '../../lambdas/image-service/records.ts'
import { takeTurn, type Turn } from '../../lambdas/image-service/turn.ts'
import { setLimits } from '../../lambdas/openstack/quotas.ts'
import { wakeImports } from '../../lambdas/periodic/image-imports.ts'
import { imageBlob } from '../../lambdas/store/images.ts'
import { addressGuard } from '../../lambdas/webhooks/address-guard.ts'
import { type ControlPlane, openControlPlane } from './control-plane.ts'
import { importing } from './importing.ts'
import { memoryParts } from './memory-parts.ts'

/** Images that functions fetch, each for a while. */

const PART = 10_000
const bytes = randomBytes(35_000)
let cloud: ControlPlane
let parts: ReturnType<typeof memoryParts>
beforeEach(async () => {
  cloud = await openControlPlane()
  parts = memoryParts(cloud.blobs)
})
afterEach(() => cloud[Symbol.asyncDispose]())

const hash = (name: string): string => createHash(name).update(bytes).digest('hex')

async function wanted(url: string): Promise<string> {
  const record = importing(url, cloud.platform.clock.now())
  await recordStore.save(cloud.platform.table, undefined, record)
  return record.uuid
}

const turn = (end: AbortSignal = new AbortController().signal): Turn => ({
  ...cloud.platform,
  blobs: { ...cloud.platform.blobs, parts },
  guard: addressGuard(['127.0.0.0/8']),
  end,
  partBytes: PART,
  restMs: 1,
})
const record = async (uuid: string) => (await findEntry(cloud.platform.table, uuid))?.record
const failure = async (uuid: string) => {
  const { status, download } = (await record(uuid))!
  expect([status, parts.open.size, download?.turn, download?.stored]).toEqual(['queued', 0, undefined, undefined])
  return download?.failed
}
async function expectActive(uuid: string): Promise<void> {
  const { status, data, download } = (await record(uuid))!
  expect([status, data]).toEqual(['active', { size: 35_000, checksum: hash('md5'), sha512: hash('sha512') }])
  expect(Buffer.from(cloud.blobs.get(imageBlob(uuid))!).equals(bytes)).toBe(true)
  expect([parts.open.size, download?.turn, download?.stored]).toEqual([0, undefined, undefined])
}

type Answer = (request: IncomingMessage, response: ServerResponse, count: number) => void
async function serving(answer: Answer) {
  let count = 0
  const server = createServer((request, response) => answer(request, response, (count += 1)))
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve())
  })
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/disk.raw`,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

const from = ({ headers }: IncomingMessage): number => Number(/^bytes=(\d+)-$/.exec(headers.range ?? '')?.[1])

/** Answers a range, of which no more than `most` bytes come; the rest of the connection is silence, or its end. */
function rest(request: IncomingMessage, response: ServerResponse, { most = Infinity, ends = true, tag = '"a"' } = {}) {
  const first = from(request)
  const last = bytes.length - 1
  const headers = { etag: tag, 'content-length': bytes.length - first }
  response.writeHead(206, { ...headers, 'content-range': `bytes ${first}-${last}/${bytes.length}` })
  const part = bytes.subarray(first, Math.min(bytes.length, first + most))
  response.write(part, () => {
    if (first + part.length === bytes.length) response.end()
    else if (ends) response.destroy()
  })
}

it('what comes in one turn is there at its end, and is fetched by nobody else', async () => {
  await using server = await serving((request, response) => rest(request, response))
  const uuid = await wanted(server.url)
  expect(await takeTurn(turn(), uuid)).toBe(true)
  await expectActive(uuid)
  expect(await takeTurn(turn(), uuid)).toBe(true)
  expect(await takeTurn(turn(), randomUUID())).toBe(true)
})

it('each turn goes on from what the one before stored, and the digests are those of the whole', async () => {
  let stored = (): void => {}
  await using server = await serving((request, response) => rest(request, response, { most: 11_000, ends: false }))
  const uuid = await wanted(server.url)
  const put = parts.put.bind(parts)
  parts.put = async (...given) => {
    const tag = await put(...given)
    stored()
    return tag
  }
  const seen: number[] = []
  for (let count = 0; count < 3; count += 1) {
    const end = new AbortController()
    stored = () => end.abort()
    expect(await takeTurn(turn(end.signal), uuid)).toBe(false)
    seen.push((await record(uuid))!.download!.stored!.bytes)
  }
  expect(seen.every((each, at) => each > (seen[at - 1] ?? 0) && each <= 35_000)).toBe(true)
  stored = () => {}
  expect(await takeTurn(turn(), uuid)).toBe(true)
  await expectActive(uuid)
})

it('a connection that breaks is taken up where it broke, as often as something comes', async () => {
  await using server = await serving((request, response) => rest(request, response, { most: 15_000 }))
  const uuid = await wanted(server.url)
  expect(await takeTurn(turn(), uuid)).toBe(true)
  await expectActive(uuid)
}, 30_000)

it('what is more than its project may have is not fetched, whether its size is said or not', async () => {
  await setLimits(cloud.platform.table, 'p', { image_size_total: 0 })
  await using said = await serving((request, response) => rest(request, response))
  await using unsaid = await serving((_, response) => void response.write(bytes))
  for (const { url } of [said, unsaid]) {
    const uuid = await wanted(url)
    expect(await takeTurn(turn(), uuid)).toBe(true)
    expect(await failure(uuid)).toContain('Resource image_size_total is over limit of 0')
    expect(cloud.blobs.size).toBe(0)
  }
})

it('one who is at it has it to himself, until he must have died', async () => {
  await using server = await serving((request, response) => rest(request, response))
  const uuid = await wanted(server.url)
  const now = cloud.platform.clock.now().getTime()
  const held = { holder: 'another', until: new Date(now + 60_000).toISOString() }
  const before = (await record(uuid))!
  const download = { ...before.download!, turn: held }
  await recordStore.save(cloud.platform.table, before, { ...before, download, version: before.version + 1 })
  expect(await takeTurn(turn(), uuid)).toBe(true)
  expect((await record(uuid))!.status).toBe('importing')
  cloud.pass(61)
  expect(await takeTurn(turn(), uuid)).toBe(true)
  await expectActive(uuid)
})

it('a turn that died between the upload and what it says of it is made good', async () => {
  await using server = await serving((request, response) => rest(request, response))
  const uuid = await wanted(server.url)
  const { complete } = parts
  parts.complete = async (...given) => {
    await complete(...given)
    throw new Error('killed')
  }
  await expect(takeTurn(turn(), uuid)).rejects.toThrow('killed')
  parts.complete = complete
  expect(await takeTurn(turn(), uuid)).toBe(true)
  await expectActive(uuid)
})

it('a server without ranges is good enough if it sends all in one turn, and is said to be none if not', async () => {
  await using whole = await serving((_, response) => response.end(bytes))
  const good = await wanted(whole.url)
  expect(await takeTurn(turn(), good)).toBe(true)
  await expectActive(good)
  await using slow = await serving((_, response) => void response.write(bytes.subarray(0, 15_000)))
  const uuid = await wanted(slow.url)
  const end = new AbortController()
  const { put } = parts
  parts.put = (...given) => put(...given).finally(() => end.abort())
  expect(await takeTurn(turn(end.signal), uuid)).toBe(true)
  expect(await failure(uuid)).toMatch(/sends no byte ranges .* bytes of an unknown number came.*bloomery image push/)
})

it('a file that becomes another one meanwhile is not put together out of two', async () => {
  await using server = await serving((request, response, count) =>
    rest(request, response, { most: 11_000, tag: `"${count}"` }),
  )
  const uuid = await wanted(server.url)
  expect(await takeTurn(turn(), uuid)).toBe(true)
  expect(await failure(uuid)).toContain('was changed while it was fetched')
})

it.each<[string, Answer, RegExp]>([
  ['is not there', (_, response) => response.writeHead(404).end(), /^127\.0\.0\.1:\d+: it was answered HTTP 404$/],
  ['fails each time', (_, response) => response.writeHead(503).end(), /answered HTTP 503/],
  [
    'is too large',
    (_, response) => response.writeHead(200, { 'content-length': 2 ** 40 }).flushHeaders(),
    /larger than the 137438953472 bytes/,
  ],
  ['is empty', (_, response) => response.end(), /it is empty/],
  [
    'is a qcow2 that is called raw',
    (_, response) => response.end(Buffer.from('QFI\u00fb and more', 'latin1')),
    /begin as qcow2/,
  ],
  [
    'sends other bytes than were asked for',
    (_, response) => response.writeHead(206, { 'content-range': 'bytes 5-9/10' }).end('12345'),
    /and sends others/,
  ],
  [
    'leads into our own networks',
    (_, response) => response.writeHead(302, { location: 'http://169.254.169.254/latest' }).end(),
    /169\.254\.169\.254 may not be fetched from/,
  ],
])(
  'one that %s fails, and says so',
  async (_, answer, why) => {
    await using server = await serving(answer)
    const uuid = await wanted(server.url)
    expect(await takeTurn(turn(), uuid)).toBe(true)
    expect(await failure(uuid)).toMatch(why)
  },
  30_000,
)

it('an image that is deleted while it is fetched leaves nothing', async () => {
  await using server = await serving((request, response) => rest(request, response))
  const uuid = await wanted(server.url)
  const { put } = parts
  parts.put = async (...given) => {
    const found = await record(uuid)
    if (found) await recordStore.remove(cloud.platform.table, found)
    return put(...given)
  }
  expect(await takeTurn(turn(), uuid)).toBe(true)
  expect([await record(uuid), parts.open.size, cloud.blobs.size]).toEqual([undefined, 0, 0])
})

it('what its owner writes of it meanwhile does not stop it', async () => {
  await using server = await serving((request, response) => rest(request, response))
  const uuid = await wanted(server.url)
  const { put } = parts
  parts.put = async (...given) => {
    const found = (await record(uuid))!
    await recordStore.save(cloud.platform.table, found, {
      ...found,
      name: `n${found.version}`,
      version: found.version + 1,
    })
    return put(...given)
  }
  expect(await takeTurn(turn(), uuid)).toBe(true)
  await expectActive(uuid)
})

it('one that nobody is at is woken, not more often than a queue needs, and given up after hours', async () => {
  await using server = await serving((request, response) => rest(request, response))
  const uuid = await wanted(server.url)
  const woken: string[] = []
  const importer = { wake: async (image: string) => void woken.push(image) }
  const tick = async (seconds: number): Promise<number> => {
    cloud.pass(seconds)
    await wakeImports(cloud.platform, importer)
    return woken.length
  }
  expect([await tick(60), await tick(600), await tick(60), await tick(600)]).toEqual([0, 1, 1, 2])
  cloud.pass(6 * 3600)
  expect(await takeTurn(turn(), woken[0]!)).toBe(true)
  expect(await failure(uuid)).toContain('did not come within 6 hours')
  expect(await tick(3600)).toBe(2)
  const other = await wanted(server.url)
  expect([await tick(6 * 3600), await tick(2 * 3600)]).toEqual([3, 3])
  expect(await failure(other)).toContain('the functions that fetch images fail')
})
