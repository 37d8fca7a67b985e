import { WireError } from '@bloomery/wire/error.ts'
import { Writer } from '@bloomery/wire/writer.ts'

/** IPMI 2.0 §5.5 and §13.8. A response has the request's network function + 1 and starts its data with a completion code.
 *
 *     | to | netFn·4 + LUN | checksum | from | sequence·4 + LUN | command | data … | checksum |
 */
export interface Message {
  netFn: number
  /** Of a request: for which part of the responder it is (§5.5); 0 where nothing is said. */
  lun?: number | undefined
  command: number
  /** 6 bits; pairs a response with its request. */
  sequence: number
  to: number
  from: number
  data: Uint8Array
}

export const BMC_ADDRESS = 0x20
/** §5.5: software ids are odd; 0x81 is the first remote console. */
export const CONSOLE_ADDRESS = 0x81

const SHORTEST = 7

export function encodeMessage(message: Message): Uint8Array {
  const first = Uint8Array.of(message.to, (message.netFn << 2) | (message.lun ?? 0))
  const second = new Writer(16)
    .u8(message.from)
    .u8(message.sequence << 2)
    .u8(message.command)
    .bytes(message.data)
    .finish()
  return new Writer(32).bytes(first).u8(checksum(first)).bytes(second).u8(checksum(second)).finish()
}

export function decodeMessage(bytes: Uint8Array): Message {
  if (bytes.length < SHORTEST)
    throw new WireError(`an IPMI message has at least ${SHORTEST} bytes, not ${bytes.length}`)
  if (checksum(bytes.subarray(0, 3)) !== 0) throw new WireError('IPMI message header checksum is wrong')
  if (checksum(bytes.subarray(3)) !== 0) throw new WireError('IPMI message data checksum is wrong')
  const byte = (at: number): number => bytes[at] ?? 0
  return {
    to: byte(0),
    netFn: byte(1) >> 2,
    lun: byte(1) & 0x03,
    from: byte(3),
    sequence: byte(4) >> 2,
    command: byte(5),
    data: new Uint8Array(bytes.subarray(6, -1)),
  }
}

/** Two's complement of the sum: over a part and its checksum it gives 0. */
function checksum(bytes: Uint8Array): number {
  let sum = 0
  for (const byte of bytes) sum += byte
  return -sum & 0xff
}
