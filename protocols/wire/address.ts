import { WireError } from './error.ts'

const MAC = /^[0-9a-f]{2}([:-][0-9a-f]{2}){5}$/i
const OCTET = /^(0|[1-9]\d{0,2})$/
const DIGITS = Buffer.from('0123456789abcdef')
/** A MAC is put together here: a flat string of its own is what a Map finds quickest. */
const scratch = Buffer.alloc(17, ':')

/** `52:54:00:12:34:56`: lower case with colons is the one form used inside. */
export function macFromBytes(bytes: Uint8Array): string {
  if (bytes.length !== 6) throw new WireError(`a MAC address has 6 bytes, not ${bytes.length}`)
  for (let at = 0; at < 6; at += 1) {
    const byte = bytes[at] ?? 0
    scratch[3 * at] = DIGITS[byte >> 4] ?? 0
    scratch[3 * at + 1] = DIGITS[byte & 15] ?? 0
  }
  return scratch.toString('latin1')
}

export function macToBytes(mac: string): Uint8Array {
  if (!MAC.test(mac)) throw new WireError(`not a MAC address: ${JSON.stringify(mac.slice(0, 40))}`)
  return Uint8Array.from(mac.split(/[:-]/), (pair) => Number.parseInt(pair, 16))
}

export function normalMac(mac: string): string {
  return macFromBytes(macToBytes(mac))
}

/** IPv4 addresses are numbers inside (order, ranges and masks are then plain arithmetic) and dotted text outside. */
export function ipv4FromText(text: string): number {
  const octets = text.split('.')
  if (octets.length !== 4 || !octets.every((octet) => OCTET.test(octet) && Number(octet) < 256))
    throw new WireError(`not an IPv4 address: ${JSON.stringify(text.slice(0, 40))}`)
  return octets.reduce((value, octet) => value * 256 + Number(octet), 0)
}

export function ipv4ToText(value: number): string {
  return `${value >>> 24}.${(value >>> 16) & 0xff}.${(value >>> 8) & 0xff}.${value & 0xff}`
}

export function ipv4ToBytes(value: number): Uint8Array {
  return Uint8Array.of(value >>> 24, (value >>> 16) & 0xff, (value >>> 8) & 0xff, value & 0xff)
}

export function ipv4FromBytes(bytes: Uint8Array): number {
  if (bytes.length !== 4) throw new WireError(`an IPv4 address has 4 bytes, not ${bytes.length}`)
  return bytes.reduce((value, byte) => value * 256 + byte, 0)
}
