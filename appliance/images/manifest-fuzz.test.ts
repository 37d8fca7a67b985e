import { randomBytes } from 'node:crypto'
import { zstdCompressSync } from 'node:zlib'
import { FUZZ_DEADLINE_MS, fuzzAsync, fuzzInputs } from '@bloomery/wire/fuzzing.ts'
import { expect, it } from 'vitest'
import { canonical } from '../../contract/images/canonical.ts'
import { CHUNK_BYTES, sha256Of } from '../../contract/images/manifest.ts'
import { readPatch } from '../../contract/images/patch.ts'
import { newImageKey, readManifest, UnacceptableManifest } from '../../contract/images/signature.ts'
import { makeImage, patchOf, placesOf } from '../../contract/images/testing.ts'
import { HardwareError } from '../hardware-error.ts'
import { parsePlaces } from './chunks/places.ts'
import { unpack } from './chunks/unpack.ts'
import { wholeOf } from './chunks/unpatch.ts'
import { choose, document, fileOf } from './sources/oci/manifest.ts'

const key = newImageKey()
const made = makeImage(Buffer.concat([randomBytes(CHUNK_BYTES), Buffer.alloc(CHUNK_BYTES)]), key.privateKey)
const text = (value: object): Buffer => Buffer.from(JSON.stringify(value))
const INPUTS = fuzzInputs(5_000)

it(
  'of damaged manifests only what is signed is accepted, and unsigned ones only where they have sense',
  async () => {
    const unsigned = makeImage(Buffer.alloc(CHUNK_BYTES, 1))
    const whole = canonical(made.manifest)
    const seen = await fuzzAsync(
      [Buffer.from(made.text), Buffer.from(unsigned.text)],
      INPUTS,
      async (bytes, count) => {
        const found = readManifest(Buffer.from(bytes).toString('utf8'), count % 2 === 0 ? [key.publicKey] : [])
        if (count % 2 === 0 && canonical(found) !== whole) throw new Error('what was not signed was accepted')
        return `accepted: ${'x'.repeat(found.pages.length)}`
      },
      (error) => error instanceof UnacceptableManifest,
    )
    expect([...seen.keys()].some((word) => word.startsWith('accepted'))).toBe(true)
    expect([...seen.keys()].filter((word) => word.includes('signature')).length).toBeGreaterThan(0)
    expect(seen.size).toBeGreaterThan(20)
  },
  FUZZ_DEADLINE_MS,
)

it(
  'damaged pages and registries’ manifests are refused or have sense',
  async () => {
    const places = placesOf(made.pages[0]!, (sha256) => `https://store.example/${sha256}?signature=x`)
    const digest = `sha256:${'a'.repeat(64)}`
    const layer = {
      mediaType: 'application/x',
      digest,
      size: 10,
      annotations: { 'org.opencontainers.image.title': 'd.raw' },
    }
    const platform = { architecture: 'amd64', os: 'linux' }
    const seeds = [
      text(places),
      text({ schemaVersion: 2, layers: [layer], annotations: { disktype: 'qcow2' } }),
      text({ schemaVersion: 2, manifests: [{ ...layer, platform, annotations: { disktype: 'raw' } }] }),
    ]
    const seen = await fuzzAsync(
      seeds,
      INPUTS,
      async (bytes) => {
        const found = parsePlaces(Buffer.from(bytes))
        if (found) return `places: ${'x'.repeat(Math.min(8, found.chunks.length))}`
        const parsed = document.safeParse(json(bytes)).data
        if (parsed === undefined) return 'no sense'
        if (parsed.kind === 'index') return `index: ${choose(parsed.manifests, 'x86_64')?.format}`
        return `manifest: ${fileOf('i', parsed).format}`
      },
      (error) => error instanceof HardwareError,
    )
    expect(seen.size).toBeGreaterThan(5)
  },
  FUZZ_DEADLINE_MS,
)

it(
  'of damaged patches only those are taken that still give the chunk',
  async () => {
    const plains = [randomBytes(6000), randomBytes(9000)]
    const bases = new Map(plains.map((plain) => [sha256Of(plain), zstdCompressSync(plain)]))
    const plain = Buffer.concat([plains[1]!.subarray(500, 8000), randomBytes(100), plains[0]!.subarray(0, 3000)])
    const patch = patchOf(zstdCompressSync(plain), bases)
    let right = 0
    const seen = await fuzzAsync(
      [patch],
      fuzzInputs(500),
      async (bytes) => {
        const found = readPatch(bytes)
        const stored = found?.bases.map((sha256) => bases.get(sha256))
        if (!found || !stored?.every((each) => each !== undefined)) return 'no patch upon these'
        const whole = await wholeOf(sha256Of(plain), found, stored)
        if (!whole) return 'a patch of something else'
        if (!(await unpack(sha256Of(plain), whole))?.equals(plain)) throw new Error('another chunk was accepted')
        right += 1
        return 'right'
      },
      () => false,
    )
    expect(right).toBeGreaterThan(0)
    expect(seen.size).toBe(3)
  },
  // Each makes tables for windows of 1 MiB.
  10 * FUZZ_DEADLINE_MS,
)

function json(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString('utf8')) as unknown
  } catch {
    return undefined
  }
}
