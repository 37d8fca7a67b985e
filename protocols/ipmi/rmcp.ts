import { WireError } from '@bloomery/wire/error.ts'
import type { Reader } from '@bloomery/wire/reader.ts'
import type { Writer } from '@bloomery/wire/writer.ts'

/** ASF 2.0 §3.2.2: what stands before every datagram on port 623.
 *
 *     | version 06 | reserved | sequence, FF = send no ack | class |
 */
const RMCP_VERSION = 0x06
const RMCP_NO_ACK = 0xff
const ASF_IANA = 0x11be
const PING = 0x80
const PONG = 0x40

export type RmcpClass = 'asf' | 'ipmi'
const classes = { asf: 0x06, ipmi: 0x07 } as const

/** ASF 2.0 §3.2.4: "is there anybody, and do you speak IPMI?" without a session. */
export type AsfMessage = { type: 'ping'; tag: number } | { type: 'pong'; tag: number; ipmi: boolean }

export function readRmcpHeader(reader: Reader): RmcpClass {
  const version = reader.u8()
  if (version !== RMCP_VERSION) throw new WireError(`RMCP version ${version}, not ${RMCP_VERSION}`)
  reader.skip(2)
  const messageClass = reader.u8()
  if (messageClass === classes.asf) return 'asf'
  if (messageClass === classes.ipmi) return 'ipmi'
  throw new WireError(`RMCP class 0x${messageClass.toString(16)} is neither ASF nor IPMI`)
}

export function writeRmcpHeader(writer: Writer, messageClass: RmcpClass): Writer {
  return writer.u8(RMCP_VERSION).u8(0).u8(RMCP_NO_ACK).u8(classes[messageClass])
}

export function readAsf(reader: Reader): AsfMessage {
  const enterprise = reader.u32()
  if (enterprise !== ASF_IANA) throw new WireError(`ASF message of enterprise ${enterprise}, not ${ASF_IANA}`)
  const type = reader.u8()
  const tag = reader.u8()
  reader.skip(1)
  const length = reader.u8()
  if (type === PING && length === 0) return { type: 'ping', tag }
  if (type !== PONG || length !== 16) throw new WireError(`ASF message type 0x${type.toString(16)} of ${length} bytes`)
  reader.skip(8)
  const entities = reader.u8()
  reader.skip(7)
  return { type: 'pong', tag, ipmi: (entities & 0x80) !== 0 }
}

export function writeAsf(writer: Writer, message: AsfMessage): Writer {
  const type = message.type === 'ping' ? PING : PONG
  writer.u32(ASF_IANA).u8(type).u8(message.tag).u8(0)
  if (message.type === 'ping') return writer.u8(0)
  return writer
    .u8(16)
    .u32(ASF_IANA)
    .u32(0)
    .u8(message.ipmi ? 0x81 : 0x01)
    .zeros(7)
}
