import { WireError } from '@bloomery/wire/error.ts'
import { Reader } from '@bloomery/wire/reader.ts'
import { Writer } from '@bloomery/wire/writer.ts'

/** IPMI 2.0 §22.15.2, table 22-20: a suite is one algorithm of each kind, by number (§13.28). To add one, add a row here and,
 * if its algorithm is new, a row in crypto.ts. Those with xRC4 (4, 5, 9, 10, 13, 14) are left out: RC4 is broken, and nobody
 * has them who has none of these. */
export interface CipherSuite {
  readonly id: number
  readonly authentication: number
  readonly integrity: number
  readonly confidentiality: number
}

export const cipherSuites = {
  0: { id: 0, authentication: 0x00, integrity: 0x00, confidentiality: 0x00 },
  1: { id: 1, authentication: 0x01, integrity: 0x00, confidentiality: 0x00 },
  2: { id: 2, authentication: 0x01, integrity: 0x01, confidentiality: 0x00 },
  3: { id: 3, authentication: 0x01, integrity: 0x01, confidentiality: 0x01 },
  6: { id: 6, authentication: 0x02, integrity: 0x00, confidentiality: 0x00 },
  7: { id: 7, authentication: 0x02, integrity: 0x02, confidentiality: 0x00 },
  8: { id: 8, authentication: 0x02, integrity: 0x02, confidentiality: 0x01 },
  11: { id: 11, authentication: 0x02, integrity: 0x03, confidentiality: 0x00 },
  12: { id: 12, authentication: 0x02, integrity: 0x03, confidentiality: 0x01 },
  15: { id: 15, authentication: 0x03, integrity: 0x00, confidentiality: 0x00 },
  16: { id: 16, authentication: 0x03, integrity: 0x04, confidentiality: 0x00 },
  17: { id: 17, authentication: 0x03, integrity: 0x04, confidentiality: 0x01 },
} as const satisfies Record<number, CipherSuite>

export type CipherSuiteId = keyof typeof cipherSuites
export const cipherSuiteIds = Object.values(cipherSuites).map(({ id }): CipherSuiteId => id)

/** Strongest first: the order in which they are tried when the BMC may choose, and what a BMC of ours takes unless told
 * otherwise. The others leave something unproved or readable, or rest on MD5: they are used only where asked for by number. */
export const preferredSuites: readonly CipherSuiteId[] = [17, 3]

/** §22.15.2, table 22-19: records of
 *
 *     | C0 | suite id | algorithms, tagged 00 auth, 01 integrity, 10 confidentiality … |     or
 *     | C1 | suite id | OEM IANA LE3 | algorithms … |
 *
 * Ids only: what the standard ids stand for is fixed. OEM suites are passed over.
 */
export function readCipherSuiteRecords(bytes: Uint8Array): number[] {
  const reader = new Reader(bytes)
  const ids: number[] = []
  while (reader.remaining > 0) {
    const start = reader.u8()
    if (start === STANDARD) ids.push(reader.u8())
    else if (start === OEM) reader.skip(4)
    else if (start >= STANDARD) throw new WireError(`a cipher suite record can't start with 0x${start.toString(16)}`)
  }
  return ids
}

export function writeCipherSuiteRecords(suites: readonly CipherSuite[]): Uint8Array {
  const writer = new Writer(64)
  for (const suite of suites) {
    writer.u8(STANDARD).u8(suite.id).u8(suite.authentication)
    if (suite.integrity !== 0) writer.u8(0x40 | suite.integrity)
    if (suite.confidentiality !== 0) writer.u8(0x80 | suite.confidentiality)
  }
  return writer.finish()
}

const STANDARD = 0xc0
const OEM = 0xc1
