import { randomBytes } from 'node:crypto'
import { zstdDecompressSync } from 'node:zlib'
import { expect, it, onTestFinished } from 'vitest'
import { sha256Of } from '../../../contract/images/manifest.ts'
import { startPeerServer } from './serve.ts'

const disk = randomBytes(300_000)
const digest = sha256Of(disk.subarray(1000, 201_000))
type Read = Parameters<typeof startPeerServer>[1]['read']

async function setUp() {
  const wait = { for: Promise.resolve(), reads: 0 }
  const read = (async (into: Buffer, _: number, length: number, position: number) => {
    wait.reads += 1
    await wait.for
    return { bytesRead: disk.copy(into, 0, position, position + length), buffer: into }
  }) as unknown as Read
  const server = await startPeerServer('a-token-of-the-image', { read }, '127.0.0.1')
  onTestFinished(() => server[Symbol.asyncDispose]())
  server.offer(digest, 1000, 200_000)
  const ask = (sha256: string, token = 'a-token-of-the-image') =>
    fetch(`http://127.0.0.1:${server.port}/chunks/${sha256}`, { headers: { authorization: `Bearer ${token}` } })
  return { server, ask, wait }
}

it('gives a chunk that it has offered to who knows the token, in a form that unpacks as any other', async () => {
  const { ask } = await setUp()
  const reply = await ask(digest)
  expect(reply.status).toBe(200)
  const stored = Buffer.from(await reply.arrayBuffer())
  expect(zstdDecompressSync(stored).equals(disk.subarray(1000, 201_000))).toBe(true)
  expect((await ask(digest, 'another-token')).status).toBe(401)
  expect((await ask('0'.repeat(64))).status).toBe(404)
  expect((await ask('../etc/passwd')).status).toBe(404)
})

it('never gives what is no longer what it offered', async () => {
  const { server, ask } = await setUp()
  server.offer('0'.repeat(64), 0, 1000)
  server.offer('1'.repeat(64), 299_000, 2000)
  expect([(await ask('0'.repeat(64))).status, (await ask('1'.repeat(64))).status]).toEqual([404, 404])
})

it('gives to four at once, and has others ask elsewhere', async () => {
  const { ask, wait } = await setUp()
  const gate = Promise.withResolvers<void>()
  wait.for = gate.promise
  const first = [1, 2, 3, 4].map(() => ask(digest))
  await expect.poll(() => wait.reads).toBe(4)
  expect((await ask(digest)).status).toBe(503)
  gate.resolve()
  expect((await Promise.all(first)).every(({ status }) => status === 200)).toBe(true)
})
