import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, it, onTestFinished } from 'vitest'
import { realClock } from '../clock.ts'
import { createLog } from '../log.ts'
import { download, type Source } from './download.ts'

const content = Buffer.from(Array.from({ length: 300_000 }, (_, index) => (index * 31) % 251))

async function serve(handle: (request: IncomingMessage, response: ServerResponse, attempt: number) => void) {
  let attempt = 0
  const ranges: (string | undefined)[] = []
  const server = createServer((request, response) => {
    ranges.push(request.headers.range)
    handle(request, response, attempt++)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/image.raw?signature=hush`, ranges }
}

/** Answers from where the client asks, and breaks off after so many bytes. */
function part(request: IncomingMessage, response: ServerResponse, most = Infinity, tag = '"one"'): void {
  const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0)
  const head = { etag: tag, 'content-length': content.length - from }
  const range = { ...head, 'content-range': `bytes ${from}-${content.length - 1}/${content.length}` }
  response.writeHead(from === 0 ? 200 : 206, from === 0 ? head : range)
  const end = Math.min(content.length, from + most)
  response.write(content.subarray(from, end), () => (end === content.length ? response.end() : response.destroy()))
}

async function fetchAll(urls: string[], lines: string[] = [], more: Partial<Source> = {}) {
  const log = createLog((line) => void lines.push(line), realClock.now)
  const means = {
    trust: {},
    clock: { ...realClock, sleep: () => Promise.resolve() },
    log,
    seconds: 1,
    retries: 3,
    retryInterval: 10,
    imageKeys: [],
  }
  const chunks: Buffer[] = []
  for await (const chunk of download({ id: 'debian', urls, ...more }, means)) chunks.push(chunk)
  const all = Buffer.concat(chunks)
  return { length: all.length, sha256: createHash('sha256').update(all).digest('hex') }
}
const whole = { length: content.length, sha256: createHash('sha256').update(content).digest('hex') }

it('takes a broken connection up at the byte where it broke, and logs no signature', async () => {
  const { url, ranges } = await serve((request, response, attempt) =>
    part(request, response, attempt < 2 ? 100_000 : Infinity),
  )
  const lines: string[] = []
  expect(await fetchAll([url], lines)).toEqual(whole)
  expect(ranges).toEqual([undefined, 'bytes=100000-', 'bytes=200000-'])
  expect(lines).toHaveLength(2)
  expect(lines.join('')).not.toContain('hush')
})

it('reads past what it has when the server knows no ranges', async () => {
  const { url } = await serve((_, response, attempt) => {
    response.writeHead(200, { 'content-length': content.length })
    response.write(content.subarray(0, 120_000), () =>
      attempt === 0 ? response.destroy() : response.end(content.subarray(120_000)),
    )
  })
  expect(await fetchAll([url])).toEqual(whole)
})

it('gives a busy server another chance, and goes to the next URL', async () => {
  const busy = await serve((_, response) => response.writeHead(503).end())
  const good = await serve((request, response) => part(request, response))
  expect(await fetchAll([busy.url, good.url])).toEqual(whole)
})

it('gives up after so many failures in a row, naming image, byte and cause', async () => {
  const { url, ranges } = await serve((request, response) => part(request, response, 1000))
  const error: unknown = await fetchAll([url]).catch((error: unknown) => error)
  expect(error).toMatchObject({ message: 'image debian: the download failed at byte 4000, attempt 4' })
  expect(ranges).toHaveLength(4)
})

it('counts silence as a broken connection', async () => {
  const { url } = await serve((request, response, attempt) => {
    if (attempt > 0) return part(request, response)
    response.writeHead(200, { 'content-length': content.length, etag: '"one"' })
    return response.write(content.subarray(0, 10))
  })
  expect(await fetchAll([url])).toEqual(whole)
})

it('does not try again where it would not help', async () => {
  const { url, ranges } = await serve((_, response) => response.writeHead(404).end())
  await expect(fetchAll([url])).rejects.toThrow('the server answered 404')
  expect(ranges).toHaveLength(1)
})

it('notices that the image changed on the way', async () => {
  const { url } = await serve((request, response, attempt) =>
    part(request, response, 100_000, attempt === 0 ? '"one"' : '"two"'),
  )
  await expect(fetchAll([url])).rejects.toThrow('changed on the server')
})

it('lets the size be refused before the first byte', async () => {
  const { url } = await serve((request, response) => part(request, response))
  const sizes: (number | undefined)[] = []
  const begin = (total: number | undefined) => {
    sizes.push(total)
    throw new Error('too large')
  }
  await expect(fetchAll([url], [], { begin })).rejects.toThrow('the download failed at byte 0')
  expect(sizes[0]).toBe(content.length)
})

it('sends credentials to the server that they are for, and not where that redirects', async () => {
  const seen: (string | undefined)[] = []
  const far = await serve((request, response) => {
    seen.push(request.headers.authorization)
    part(request, response)
  })
  const near = await serve((request, response) => {
    seen.push(request.headers.authorization)
    response.writeHead(302, { location: far.url }).end()
  })
  expect(await fetchAll([near.url], [], { authorization: 'Basic abc' })).toEqual(whole)
  expect(seen).toEqual(['Basic abc', undefined])
})
