import { createHash, randomBytes, randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { buffer } from 'node:stream/consumers'
import { describe, expect, it } from 'vitest'
import type { Blobs } from '../../lambdas/platform.ts'
import { underTest, type Make } from './under-test.ts'

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')
const freshBlob = (): string => `test/${randomUUID()}/a file ü.img`

export function blobContract(name: string, make: Make): void {
  describe(`${name}: blobs`, () => {
    const made = underTest(make)
    const blobs = (): Blobs => made().platform.blobs

    async function upload(
      signed: { url: string; headers: Record<string, string> },
      bytes: Uint8Array,
    ): Promise<number> {
      const body = Buffer.from(bytes)
      return (await fetch(signed.url, { method: 'PUT', headers: signed.headers, body })).status
    }

    it('returns what was put, whole, as a stream, and its size', async () => {
      const [key, bytes] = [freshBlob(), randomBytes(300_000)]
      await blobs().put(key, bytes)
      expect(Buffer.compare((await blobs().get(key))!, bytes)).toBe(0)
      expect(Buffer.compare(await buffer((await blobs().stream(key))!), bytes)).toBe(0)
      expect((await blobs().head(key))?.size).toBe(300_000)
    })

    it('replaces what was there', async () => {
      const key = freshBlob()
      await blobs().put(key, Buffer.from('first'))
      await blobs().put(key, Buffer.from('second one'))
      expect(Buffer.from((await blobs().get(key))!).toString()).toBe('second one')
      expect((await blobs().head(key))?.size).toBe(10)
    })

    it('has nothing where nothing was put, and nothing after a delete', async () => {
      const key = freshBlob()
      const nothing = async () => [await blobs().get(key), await blobs().stream(key), await blobs().head(key)]
      expect(await nothing()).toEqual([undefined, undefined, undefined])
      await blobs().put(key, Buffer.from('x'))
      await blobs().delete(key)
      await blobs().delete(key)
      expect(await nothing()).toEqual([undefined, undefined, undefined])
    })

    it('serves a signed URL whole and in ranges, to anyone', async () => {
      const [key, bytes] = [freshBlob(), randomBytes(100_000)]
      await blobs().put(key, bytes)
      const url = await blobs().signGet(key, 60)
      const whole = await fetch(url)
      expect(whole.status).toBe(200)
      expect(whole.headers.get('content-length')).toBe('100000')
      expect(Buffer.compare(Buffer.from(await whole.arrayBuffer()), bytes)).toBe(0)
      for (const [range, from, to] of [
        ['bytes=0-0', 0, 0],
        ['bytes=1000-1999', 1000, 1999],
        ['bytes=99990-', 99_990, 99_999],
        ['bytes=-10', 99_990, 99_999],
        ['bytes=99990-200000', 99_990, 99_999],
      ] as const) {
        const part = await fetch(url, { headers: { range } })
        expect([range, part.status, part.headers.get('content-range')]).toEqual([
          range,
          206,
          `bytes ${from}-${to}/100000`,
        ])
        expect(Buffer.compare(Buffer.from(await part.arrayBuffer()), bytes.subarray(from, to + 1))).toBe(0)
      }
      const beyond = await fetch(url, { headers: { range: 'bytes=100000-' } })
      await beyond.arrayBuffer()
      expect(beyond.status).toBe(416)
    })

    it('refuses a URL that has expired, was changed, or is for another method', async () => {
      const key = freshBlob()
      await blobs().put(key, Buffer.from('secret'))
      const status = async (url: string, init?: RequestInit) => {
        const response = await fetch(url, init)
        await response.arrayBuffer()
        return response.status
      }
      const short = await blobs().signGet(key, 1)
      const good = await blobs().signGet(key, 60)
      const other = await blobs().signGet(freshBlob(), 60)
      expect(await status(good)).toBe(200)
      expect(await status(new URL(new URL(good).search, other.split('?')[0]).href)).toBe(403)
      expect(await status(good.split('?')[0]!)).toBe(403)
      expect(await status(good, { method: 'PUT', body: 'mine now' })).toBe(403)
      expect(await status(good, { method: 'DELETE' })).toBeGreaterThanOrEqual(400)
      await sleep(2500)
      expect(await status(short)).toBe(403)
      expect(Buffer.from((await blobs().get(key))!).toString()).toBe('secret')
    })

    it('takes exactly the bytes that a signed PUT was made for, once or again', async () => {
      const [key, bytes] = [freshBlob(), randomBytes(200_000)]
      const signed = await blobs().signPut(key, { size: bytes.length, sha256: sha256(bytes) }, 60)
      expect(await upload(signed, bytes)).toBe(200)
      expect(await upload(signed, bytes)).toBe(200)
      expect(Buffer.compare((await blobs().get(key))!, bytes)).toBe(0)
      expect(await blobs().head(key)).toEqual({ size: bytes.length, sha256: sha256(bytes) })
    })

    it('takes a blob in parts, where it takes none as a stream: all of it at the end, or nothing', async () => {
      const { parts, putStream } = blobs()
      expect(parts === undefined).toBe(putStream !== undefined)
      if (!parts) return
      const [key, first, last] = [freshBlob(), randomBytes(5 * 1024 ** 2), randomBytes(1000)]
      const upload = await parts.begin(key)
      await parts.put(key, upload, 1, randomBytes(5 * 1024 ** 2))
      const replaced = [await parts.put(key, upload, 1, first), await parts.put(key, upload, 2, last)]
      expect(await blobs().head(key)).toBeUndefined()
      await expect(parts.complete(key, upload, [replaced[0]!, 'f'.repeat(32)])).rejects.toThrow()
      await parts.complete(key, upload, replaced)
      expect(Buffer.compare((await blobs().get(key))!, Buffer.concat([first, last]))).toBe(0)
      const aborted = freshBlob()
      const other = await parts.begin(aborted)
      await parts.put(aborted, other, 1, Buffer.from('x'))
      for (let time = 0; time < 2; time += 1) await parts.abort(aborted, other)
      await expect(parts.put(aborted, other, 2, Buffer.from('y'))).rejects.toThrow()
      expect(await blobs().head(aborted)).toBeUndefined()
    })

    it.each([
      ['other bytes', (bytes: Buffer) => Buffer.from(bytes).fill(0, 0, 1)],
      ['too few bytes', (bytes: Buffer) => bytes.subarray(1)],
      ['too many bytes', (bytes: Buffer) => Buffer.concat([bytes, Buffer.from('x')])],
    ])('refuses %s, and keeps what was there', async (_, spoil) => {
      const key = freshBlob()
      const bytes = Buffer.concat([Buffer.from([1]), randomBytes(70_000)])
      await blobs().put(key, Buffer.from('before'))
      const signed = await blobs().signPut(key, { size: bytes.length, sha256: sha256(bytes) }, 60)
      expect(await upload(signed, spoil(bytes))).toBeGreaterThanOrEqual(400)
      expect(Buffer.from((await blobs().get(key))!).toString()).toBe('before')
    })
  })
}
