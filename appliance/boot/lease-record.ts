import { crc32 } from 'node:zlib'
import type { Lease } from '@bloomery/dhcp/lease.ts'
import { macFromBytes } from '@bloomery/wire/address.ts'

/** What is written: a lease, or the address whose lease is gone. */
export type LeaseRecord = Lease | { address: number; state: 'removed' }

/*
    0       1        2            8              12              20          24
   | state | 0      | MAC (6)    | address (4)  | expires (8)   | CRC-32    |     numbers big-endian, CRC over the rest
*/
export const RECORD = 24
const states = ['removed', 'bound', 'declined', 'offered'] as const
const KIND = { removed: 1, bound: 2, declined: 3, offered: 4 } as const

export function encodeRecords(records: readonly LeaseRecord[]): Buffer {
  const bytes = Buffer.alloc(records.length * RECORD)
  let at = 0
  for (const record of records) {
    bytes[at] = KIND[record.state]
    bytes.writeUInt32BE(record.address, at + 8)
    if (record.state !== 'removed') {
      for (let pair = 0; pair < record.mac.length; pair += 3)
        bytes[at + 2 + pair / 3] = (digit(record.mac, pair) << 4) | digit(record.mac, pair + 1)
      bytes.writeDoubleBE(record.expires, at + 12)
    }
    bytes.writeUInt32BE(crc32(bytes.subarray(at, at + RECORD - 4)), at + RECORD - 4)
    at += RECORD
  }
  return bytes
}

/** Of a MAC as it is written here: lower-case hex. */
function digit(mac: string, at: number): number {
  const code = mac.charCodeAt(at)
  return code > 57 ? code - 87 : code - 48 // behind '9': from 'a' on
}

/** Up to the first that is not whole: a write that a power cut tore is the last, and nobody was told of it. */
export function decodeRecords(bytes: Buffer): LeaseRecord[] {
  const records: LeaseRecord[] = []
  for (let at = 0; at + RECORD <= bytes.length; at += RECORD) {
    const state = states[(bytes[at] ?? 0) - 1]
    const whole = bytes.readUInt32BE(at + RECORD - 4) === crc32(bytes.subarray(at, at + RECORD - 4))
    if (state === undefined || !whole) break
    const address = bytes.readUInt32BE(at + 8)
    if (state === 'removed') records.push({ address, state })
    else {
      const mac = state === 'declined' ? '' : macFromBytes(bytes.subarray(at + 2, at + 8))
      records.push({ address, mac, state, expires: bytes.readDoubleBE(at + 12) })
    }
  }
  return records
}
