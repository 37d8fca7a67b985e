import { isIPv6 } from 'node:net'
import { WireError } from './error.ts'
import { Writer } from './writer.ts'

/** IPv6 addresses are 16 bytes inside and RFC 5952 text outside. */
export function ipv6ToBytes(text: string): Uint8Array {
  if (!isIPv6(text) || text.includes('%'))
    throw new WireError(`not an IPv6 address: ${JSON.stringify(text.slice(0, 60))}`)
  const [head = '', tail] = canonical(text).split('::')
  const groups = (part: string): number[] => (part === '' ? [] : part.split(':').map((hex) => Number.parseInt(hex, 16)))
  const [before, after] = [groups(head), groups(tail ?? '')]
  const writer = new Writer(16)
  for (const group of before) writer.u16(group)
  writer.zeros(2 * (8 - before.length - after.length))
  for (const group of after) writer.u16(group)
  return writer.finish()
}

export function ipv6ToText(bytes: Uint8Array): string {
  if (bytes.length !== 16) throw new WireError(`an IPv6 address has 16 bytes, not ${bytes.length}`)
  const hex = Buffer.from(bytes).toString('hex')
  return canonical(Array.from({ length: 8 }, (_, index) => hex.slice(4 * index, 4 * index + 4)).join(':'))
}

/** The MAC that a card's own address was made of: RFC 4291 appendix A. Undefined where it was made otherwise. */
export function macOfEui64(address: Uint8Array): string | undefined {
  const id = address.subarray(8)
  if (id.length !== 8 || id[3] !== 0xff || id[4] !== 0xfe) return undefined
  const mac = [(id[0] ?? 0) ^ 2, id[1], id[2], id[5], id[6], id[7]]
  return mac.map((byte) => (byte ?? 0).toString(16).padStart(2, '0')).join(':')
}

/** The URL parser of WHATWG writes IPv6 hosts as RFC 5952 wants them. */
function canonical(text: string): string {
  return new URL(`http://[${text}]`).hostname.slice(1, -1)
}
