import { WireError } from '@bloomery/wire/error.ts'
import { Option } from './codes.ts'

const MAX_PIECE = 255

export type Options = ReadonlyMap<number, Uint8Array>

/** Adds one field's options to `into`. An option that comes again continues the one before: RFC 3396 §7. */
export function readOptions(field: Uint8Array, into: Map<number, Uint8Array>): void {
  let at = 0
  while (at < field.length) {
    const code = field[at] ?? Option.end
    if (code === Option.end) return
    at += 1
    if (code === Option.pad) continue
    const length = field[at]
    if (length === undefined) throw new WireError(`option ${code} has no length`)
    const start = at + 1
    if (start + length > field.length)
      throw new WireError(`option ${code} of ${length} bytes ends behind its field of ${field.length}`)
    into.set(code, joined(into.get(code), field.subarray(start, start + length)))
    at = start + length
  }
}

/** One option as it goes on the wire: pieces of at most 255 bytes, each with its header (RFC 3396 §5). */
export function optionBytes(code: number, value: Uint8Array): Uint8Array {
  const pieces = Math.max(1, Math.ceil(value.length / MAX_PIECE))
  const bytes = new Uint8Array(value.length + 2 * pieces)
  for (let piece = 0; piece < pieces; piece += 1) {
    const from = piece * MAX_PIECE
    const content = pieces === 1 ? value : value.subarray(from, from + MAX_PIECE)
    const at = from + 2 * piece
    bytes[at] = code
    bytes[at + 1] = content.length
    bytes.set(content, at + 2)
  }
  return bytes
}

function joined(head: Uint8Array | undefined, tail: Uint8Array): Uint8Array {
  if (head === undefined) return tail.slice()
  const whole = new Uint8Array(head.length + tail.length)
  whole.set(head)
  whole.set(tail, head.length)
  return whole
}
