import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { canonical } from './canonical.ts'
import { chunkLength, chunksOnPage, imageManifest, type ImageManifest, imagePage, pageDigest } from './manifest.ts'
import { newImageKey, publicImageKey, readManifest, signManifest, UnacceptableManifest } from './signature.ts'

const GiB = 1024 ** 3
const a = 'a'.repeat(64)
const manifest: ImageManifest = {
  v: 1,
  chunk_bytes: 1_048_576,
  page_chunks: 1024,
  virtual_size: GiB + 512,
  sha256: a,
  pages: [a, null],
  stored_size: 1000,
  source_format: 'qcow2',
  layout: {
    table: 'gpt',
    sector: 512,
    partitions: [{ number: 1, start: 1_048_576, length: 512, type: 'c12a7328-f81f-11d2-ba4b-00a0c93ec93b', name: 'ü' }],
  },
  boot_modes: ['uefi'],
}

describe('a manifest', () => {
  it('has one canonical text, whatever the order of its keys', () => {
    const reversed = Object.fromEntries(Object.entries(manifest).toReversed())
    expect(canonical(reversed)).toBe(canonical(manifest))
    expect(JSON.parse(canonical(manifest))).toEqual(manifest)
  })

  it('covers its disk, the last chunk of which may be short', () => {
    expect(imageManifest.parse(manifest)).toEqual(manifest)
    expect(chunksOnPage(manifest, 0)).toBe(1024)
    expect(chunksOnPage(manifest, 1)).toBe(1)
    expect(chunkLength(manifest, 1024)).toBe(512)
    expect(() => imageManifest.parse({ ...manifest, pages: [a] })).toThrow(/do not cover/)
  })

  it('takes no page of more chunks than a page has', () => {
    expect(imagePage.safeParse(Array.from({ length: 1024 }, () => null)).success).toBe(true)
    expect(imagePage.safeParse(Array.from({ length: 1025 }, () => null)).success).toBe(false)
    expect(pageDigest([a, null])).not.toBe(pageDigest([null, a]))
  })
})

describe('a signature', () => {
  const ours = newImageKey()
  const theirs = newImageKey()
  const signed = JSON.stringify(signManifest(manifest, ours.privateKey))

  it('of a key that is accepted makes the manifest good', () => {
    expect(readManifest(signed, [theirs.publicKey, ours.publicKey])).toEqual(manifest)
    expect(publicImageKey(ours.privateKey)).toBe(ours.publicKey)
  })

  it('is required, and of an accepted key, once keys are configured', () => {
    const unsigned = JSON.stringify(signManifest(manifest, undefined))
    expect(readManifest(unsigned, [])).toEqual(manifest)
    expect(() => readManifest(unsigned, [ours.publicKey])).toThrow(/not signed/)
    expect(() => readManifest(signed, [theirs.publicKey])).toThrow(/not among the accepted/)
  })

  it('does not fit a manifest that was changed', () => {
    const changed = signed.replace('"stored_size":1000', '"stored_size":1001')
    expect(changed).not.toBe(signed)
    expect(() => readManifest(changed, [ours.publicKey])).toThrow(/does not fit/)
  })
})

it('anything else is refused in words, whatever bytes were changed', () => {
  const key = newImageKey()
  const good = Buffer.from(JSON.stringify(signManifest(manifest, key.privateKey)))
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 }),
      fc.nat(good.length),
      (changes, cut) => {
        const bytes = Buffer.from(good)
        for (const [at, value] of changes) bytes[at] = value
        const text = (cut % 3 === 0 ? bytes.subarray(0, cut) : bytes).toString('utf8')
        try {
          expect(canonical(readManifest(text, [key.publicKey]))).toBe(canonical(manifest))
        } catch (error) {
          if (!(error instanceof UnacceptableManifest)) throw error
        }
      },
    ),
    { numRuns: 3000 },
  )
})
