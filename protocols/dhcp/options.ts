import { WireError } from '@bloomery/wire/error.ts'
import { Writer } from '@bloomery/wire/writer.ts'
import { Option } from './codes.ts'

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
  const writer = new Writer(value.length + 2)
  let at = 0
  do {
    const piece = value.subarray(at, at + 255)
    writer.u8(code).u8(piece.length).bytes(piece)
    at += 255
  } while (at < value.length)
  return writer.finish()
}

function joined(head: Uint8Array | undefined, tail: Uint8Array): Uint8Array {
  if (head === undefined) return tail.slice()
  const whole = new Uint8Array(head.length + tail.length)
  whole.set(head)
  whole.set(tail, head.length)
  return whole
}
