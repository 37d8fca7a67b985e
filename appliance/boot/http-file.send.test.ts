import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { Agent, createServer, get, type IncomingMessage, type Server } from 'node:http'
import { connect, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { answerFile, sendFile } from './http-file.ts'

const SIZE = 9_000_001
const content = randomBytes(SIZE)
let dir: string
let path: string
let server: Server
let port: number
let told: { bytes: number; size: number }[]
let failures: string[]
beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'http-file-'))
  path = join(dir, 'file')
  writeFileSync(path, content)
  const ends: typeof told = (told = [])
  const here: string[] = (failures = []) // a transfer of the test before may fail later than that test ends
  server = createServer((request, reply) => {
    const send = async (): Promise<void> => {
      const answer = await answerFile(path, request.headers.range)
      if (answer.range === undefined) return void reply.writeHead(answer.status, answer.headers).end()
      await sendFile(reply, path, { ...answer, range: answer.range }, (bytes, size) => ends.push({ bytes, size }))
    }
    send().catch((error: Error) => {
      here.push(error.message)
      reply.destroy()
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  ;({ port } = server.address() as AddressInfo)
})
afterEach(async () => {
  server.closeAllConnections()
  server.close()
  rmSync(dir, { recursive: true })
})

async function fetched(
  headers: Record<string, string> = {},
  agent?: Agent,
): Promise<{ status?: number; body: Buffer }> {
  const [answer] = (await once(get({ port, host: '127.0.0.1', headers, agent }), 'response')) as [IncomingMessage]
  const pieces: Buffer[] = []
  for await (const piece of answer) pieces.push(piece as Buffer)
  return { status: answer.statusCode, body: Buffer.concat(pieces) }
}

const digest = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

test('a file arrives whole, and its end is told', async () => {
  const { status, body } = await fetched()
  expect([status, digest(body)]).toEqual([200, digest(content)])
  await expect.poll(() => told).toEqual([{ bytes: SIZE, size: SIZE }])
})

test.each([
  ['bytes=5000000-', content.subarray(5_000_000)],
  ['bytes=7-3000006', content.subarray(7, 3_000_007)],
  ['bytes=-1048577', content.subarray(SIZE - 1_048_577)],
  ['bytes=0-99', content.subarray(0, 100)],
])('of it, %s arrives as it is', async (range, wanted) => {
  const { status, body } = await fetched({ range })
  expect([status, digest(body)]).toEqual([206, digest(wanted)])
})

test('one connection fetches again and again, large and small', async () => {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  for (const range of ['bytes=0-2000000', 'bytes=0-9', 'bytes=1000000-', 'bytes=5-6'])
    expect((await fetched({ range }, agent)).status).toBe(206)
  await expect.poll(() => told.map(({ bytes, size }) => bytes === size)).toEqual([true, true, true, true])
  agent.destroy()
})

test('twenty at once each get their own', async () => {
  const all = await Promise.all(
    Array.from({ length: 20 }, (_, index) => fetched({ range: `bytes=${index}-${6_000_000 + index}` })),
  )
  expect(all.map(({ body }) => digest(body))).toEqual(
    all.map((_, index) => digest(content.subarray(index, 6_000_001 + index))),
  )
})

test('a client that hangs up ends its transfer, and how far it came is told', async () => {
  const client = connect(port, '127.0.0.1')
  client.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n')
  await once(client, 'data')
  client.destroy()
  await expect.poll(() => [told.length, failures.length]).toEqual([1, 1])
  expect(told[0]?.bytes).toBeLessThan(SIZE)
})

test('a server that stops lets go of a client that takes nothing', async () => {
  const client = connect(port, '127.0.0.1').on('error', () => {})
  client.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n')
  await once(client, 'data')
  client.pause()
  const closed = once(client, 'close')
  server.closeAllConnections()
  await expect.poll(() => failures.length).toBe(1)
  client.resume()
  await closed
})

test('a file that shrinks while it is sent breaks its transfer off instead of going on with something else', async () => {
  const client = connect(port, '127.0.0.1').on('error', () => {})
  client.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n')
  await once(client, 'data')
  client.pause()
  truncateSync(path, 1_000)
  client.resume()
  await once(client, 'close')
  await expect.poll(() => failures.length).toBe(1)
})
