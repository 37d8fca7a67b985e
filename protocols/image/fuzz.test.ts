import { readdirSync, readFileSync } from 'node:fs'
import { FUZZ_DEADLINE_MS, fuzzAsync, fuzzInputs } from '@bloomery/wire/fuzzing.ts'
import { expect, it } from 'vitest'
import { ImageError } from './error.ts'
import { openQcow2 } from './qcow2.ts'

/** What qemu-img made of 6 KiB: versions 2 and 3, packed both ways, with zeros, holes and a snapshot. */
const folder = new URL('seeds/', import.meta.url)
const seeds = readdirSync(folder).map((name) => readFileSync(new URL(name, folder)))

const LARGEST_PIECE = 2 * 1024 * 1024
/** The reader's part is to go on piece by piece; how long, is up to who reads. */
const ENOUGH = 256
const MiB = 1024 * 1024

it(
  'a damaged qcow2 is read to its end without gaps or refused, in bounded memory and time',
  async () => {
    let asked = 0
    let least = Infinity
    const seen = await fuzzAsync(
      seeds,
      fuzzInputs(10_000),
      async (bytes) => {
        asked = 0
        const file = Buffer.from(bytes)
        const disk = await openQcow2({
          size: file.length,
          async read(position, length) {
            asked += 1
            return file.subarray(position, position + length)
          },
        })
        let end = 0
        let pieces = 0
        for await (const { offset, length, data } of disk.pieces()) {
          if (offset !== end || length <= 0) throw new Error(`a piece of ${length} bytes at ${offset} after ${end}`)
          if (data && (data.length !== length || length > LARGEST_PIECE))
            throw new Error(`a piece of ${data.length} bytes`)
          end += length
          pieces += 1
          if (pieces === ENOUGH) return 'read for long'
        }
        if (end !== disk.size) throw new Error(`${end} of ${disk.size} bytes were read`)
        if (asked > 4 * ENOUGH + 64) throw new Error(`${asked} reads of ${file.length} bytes`)
        least = Math.min(least, process.memoryUsage.rss())
        return `read: ${'x'.repeat(Math.min(pieces, 32))}`
      },
      (error) => error instanceof ImageError,
    )
    expect([...seen.keys()].filter((word) => word.startsWith('read')).length).toBeGreaterThan(1)
    expect([...seen.keys()].filter((word) => word.startsWith('refused')).length).toBeGreaterThan(8)
    expect(process.memoryUsage.rss() - least).toBeLessThan(512 * MiB)
  },
  FUZZ_DEADLINE_MS,
)
