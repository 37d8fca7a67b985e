/** A frame of the Link Layer Discovery Protocol (IEEE 802.1AB): type, length, value, again and again. */

const ETHERNET_HEADER = 14
const ETHERTYPE = 0x88_cc
/** No switch sends more. */
const MOST = 128

/** Type and value in hexadecimal, as ironic-python-agent tells it. */
export type Tlv = [type: number, value: string]

/** Undefined: it is no such frame, or one that breaks off. */
export function tlvsOf(frame: Buffer): Tlv[] | undefined {
  if (frame.length < ETHERNET_HEADER + 2 || frame.readUInt16BE(12) !== ETHERTYPE) return undefined
  const found: Tlv[] = []
  let at = ETHERNET_HEADER
  while (at + 2 <= frame.length && found.length < MOST) {
    // §8.4.1: seven bits of type, nine of length.
    const header = frame.readUInt16BE(at)
    const [type, end] = [header >> 9, at + 2 + (header & 0x1ff)]
    if (end > frame.length) return undefined
    found.push([type, frame.subarray(at + 2, end).toString('hex')])
    if (type === 0) return found
    at = end
  }
  return undefined
}
