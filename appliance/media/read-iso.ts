import { createReadStream } from 'node:fs'
import type { BootIso } from './boot-iso.ts'

const CHUNK = 512 * 1024
const zeros = new Uint8Array(2048)

/** The bytes from `first` to `last`, both included. */
export async function* readIso({ segments, size }: BootIso, first: number, last: number): AsyncGenerator<Uint8Array> {
  let position = first
  const end = Math.min(last + 1, size)
  for (const segment of segments) {
    const [from, until] = [Math.max(position, segment.at), Math.min(end, segment.at + segment.size)]
    if (from >= until) continue
    yield* gap(from - position)
    const [start, stop] = [from - segment.at, until - segment.at]
    if (segment.from instanceof Uint8Array) yield segment.from.subarray(start, stop)
    else
      yield* createReadStream(segment.from.path, {
        start,
        end: stop - 1,
        highWaterMark: CHUNK,
      }) as AsyncIterable<Buffer>
    position = until
  }
  yield* gap(end - position)
}

function* gap(size: number): Generator<Uint8Array> {
  for (let left = size; left > 0; left -= zeros.length) yield zeros.subarray(0, Math.min(left, zeros.length))
}
