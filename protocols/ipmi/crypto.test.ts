import { WireError } from '@bloomery/wire/error.ts'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { cipherSuites } from './cipher-suite.ts'
import * as crypto from './crypto.ts'
import { decodeMessage } from './message.ts'
import { decodePacket, type Packet20 } from './packet.ts'
import { decodeOpenSessionResponse, decodeRakp1, decodeRakp2, decodeRakp3, decodeRakp4, isAccepted } from './rakp.ts'
import { seal, unseal } from './seal.ts'
import { readCapture } from './testing/capture.ts'

const suite = cipherSuites[3]

describe('the log-in of ipmitool to ipmi_sim with the password "test"', () => {
  const datagrams = readCapture('ipmitool-power-status')
  const packets = datagrams.map((bytes) => decodePacket(bytes) as Packet20)
  const payload = (frame: number): Uint8Array => packets[frame - 1]!.payload
  const opened = decodeOpenSessionResponse(payload(4))
  const rakp2 = decodeRakp2(payload(6))
  if (!isAccepted(opened) || !isAccepted(rakp2)) throw new Error('the capture holds a successful log-in')
  const exchange: crypto.Exchange = { ...decodeRakp1(payload(5)), ...opened, ...rakp2 }
  const password = Buffer.from('test')
  const sik = crypto.sessionIntegrityKey(suite, password, exchange)

  test('has the codes of RAKP 2, 3 and 4 that we compute', () => {
    expect(crypto.rakp2Code(suite, password, exchange)).toEqual(Buffer.from(rakp2.code))
    expect(crypto.rakp3Code(suite, password, exchange)).toEqual(Buffer.from(decodeRakp3(payload(7)).code))
    expect(crypto.rakp4Code(suite, sik, exchange)).toEqual(Buffer.from(decodeRakp4(payload(8)).code))
  })

  test('has none of them with another password', () => {
    expect(crypto.sameCode(crypto.rakp2Code(suite, Buffer.from('Test'), exchange), rakp2.code)).toBe(false)
  })

  test('is followed by 14 packets that our keys open: the sixth pair asks for the chassis status', () => {
    const keys = crypto.deriveKeys(suite, sik, password)
    const messages = datagrams.slice(8).map((bytes, at) => decodeMessage(unseal(keys, packets[at + 8]!, bytes)))
    expect(messages.map(({ netFn }) => netFn)).toEqual([6, 7, 0x2c, 0x2d, 6, 7, 0x2c, 0x2d, 0x2c, 0x2d, 0, 1, 6, 7])
    expect(messages[10]).toMatchObject({ netFn: 0x00, command: 0x01 })
    expect(messages[11]?.data).toEqual(new Uint8Array(4))
  })

  test('is followed by packets of which no byte can be changed', () => {
    const keys = crypto.deriveKeys(suite, sik, password)
    const bytes = datagrams[8]!
    for (let at = 4; at < bytes.length; at += 1) {
      const forged = new Uint8Array(bytes)
      forged[at]! ^= 0x01
      expect(() => unseal(keys, decodePacket(forged) as Packet20, forged)).toThrow(WireError)
    }
  })
})

describe.each([2, 3, 7, 8, 11, 12, 16, 17] as const)('cipher suite %i', (id) => {
  const keys = crypto.deriveKeys(cipherSuites[id], new Uint8Array(32).fill(7), Buffer.from('seven'))
  const sixteen = fc.uint8Array({ minLength: 16, maxLength: 16 })

  test('opens what it sealed, whatever its length', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), sixteen, (message, iv) => {
        const bytes = seal(keys, { sessionId: 1, sequence: 2 }, message, iv)
        // From authentication type to next header, a multiple of 4 is signed (§13.28.4).
        expect((bytes.length - 4 - crypto.integrityLength(keys.suite)) % 4).toBe(0)
        expect(Buffer.from(unseal(keys, decodePacket(bytes) as Packet20, bytes))).toEqual(Buffer.from(message))
      }),
    )
  })

  test('opens nothing that is in the clear or sealed with other keys', () => {
    const other = crypto.deriveKeys(cipherSuites[id], new Uint8Array(32).fill(8), Buffer.from('eight'))
    const bytes = seal(other, { sessionId: 1, sequence: 2 }, Uint8Array.of(1), new Uint8Array(16))
    const packet = decodePacket(bytes) as Packet20
    expect(() => unseal(keys, packet, bytes)).toThrow(/signature is wrong/)
    expect(() => unseal(other, { ...packet, authenticated: false }, bytes)).toThrow(/in the clear/)
    const turned = { ...packet, encrypted: !packet.encrypted }
    expect(() => unseal(other, turned, bytes)).toThrow(packet.encrypted ? /in the clear/ : /encrypted packet/)
    expect(() => unseal(other, { ...packet, trailer: packet.trailer.subarray(8) }, bytes)).toThrow(WireError)
  })
})

test.each([0, 16, 31, 33])('%i encrypted bytes are a WireError', (length) => {
  const keys = crypto.deriveKeys(suite, new Uint8Array(20), new Uint8Array(0))
  expect(() => crypto.decrypt(keys, new Uint8Array(length))).toThrow(WireError)
})

test('passwords of up to 20 bytes are padded with zeros to 20', () => {
  const ids = { consoleId: 1, bmcId: 2, role: 0x14, username: new Uint8Array(0) }
  const sixteen = new Uint8Array(16)
  const exchange = { ...ids, consoleRandom: sixteen, bmcRandom: sixteen, bmcGuid: sixteen }
  const padded = Buffer.concat([Buffer.from('test'), Buffer.alloc(16)])
  expect(crypto.rakp3Code(suite, Buffer.from('test'), exchange)).toEqual(crypto.rakp3Code(suite, padded, exchange))
})
