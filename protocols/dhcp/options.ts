import { WireError } from '@bloomery/wire/error.ts'
import { Option } from './codes.ts'

const MAX_PIECE = 255

export type Options = ReadonlyMap<number, Uint8Array>

/** Adds the options of one field of a message to `into`. An option that comes again continues the one before: RFC 3396 §7. */
export function readOptions(message: Uint8Array, from: number, end: number, into: Map<number, Uint8Array>): void {
  let at = from
  while (at < end) {
    const code = message[at] ?? Option.end
    if (code === Option.end) return
    at += 1
    if (code === Option.pad) continue
    if (at === end) throw new WireError(`option ${code} has no length`)
    const length = message[at] ?? 0
    const start = at + 1
    if (start + length > end)
      throw new WireError(`option ${code} of ${length} bytes ends behind its field of ${end - from}`)
    const value = new Uint8Array(message.buffer, message.byteOffset + start, length)
    into.set(code, joined(into.get(code), value))
    at = start + length
  }
}

/** With the header of each piece of at most 255 bytes: RFC 3396 §5. */
export function optionLength(value: Uint8Array): number {
  return value.length + 2 * Math.max(1, Math.ceil(value.length / MAX_PIECE))
}

/** Returns where the next one begins. */
export function writeOption(out: Uint8Array, start: number, code: number, value: Uint8Array): number {
  let at = start
  let from = 0
  do {
    const length = Math.min(value.length - from, MAX_PIECE)
    out[at] = code
    out[at + 1] = length
    out.set(length === value.length ? value : value.subarray(from, from + length), at + 2)
    at += 2 + length
    from += length
  } while (from < value.length)
  return at
}

function joined(head: Uint8Array | undefined, tail: Uint8Array): Uint8Array {
  if (head === undefined) return tail
  const whole = new Uint8Array(head.length + tail.length)
  whole.set(head)
  whole.set(tail, head.length)
  return whole
}
