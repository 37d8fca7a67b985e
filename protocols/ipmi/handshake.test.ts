import { WireError } from '@bloomery/wire/error.ts'
import { expect, test } from 'vitest'
import { cipherSuites } from './cipher-suite.ts'
import { handshake } from './handshake.ts'
import { encodeOpenSessionResponse } from './rakp.ts'
import { hex } from './testing/capture.ts'

function begin() {
  const names = { username: Buffer.from('admin'), password: Buffer.from('secret') }
  const ids = { tag: 5, consoleId: 77, consoleRandom: new Uint8Array(16) }
  const ladder = handshake({ suite: cipherSuites[17], ...names, ...ids, privilege: 4 })
  ladder.next()
  return ladder
}

const accepted = { tag: 5, status: 0, privilege: 4, consoleId: 77, bmcId: 1 } as const

test('a BMC that answers with weaker algorithms than were asked for is refused', () => {
  for (const algorithms of [cipherSuites[3], { authentication: 3, integrity: 0, confidentiality: 0 }]) {
    const turn = begin().next(encodeOpenSessionResponse({ ...accepted, algorithms }))
    expect(turn).toEqual({ done: true, value: { result: 'refused', operation: 'Open Session', status: 0x11 } })
  }
})

test('a BMC that accepts the algorithms is told who logs in', () => {
  const turn = begin().next(encodeOpenSessionResponse({ ...accepted, algorithms: cipherSuites[17] }))
  expect(turn).toMatchObject({ done: false, value: { operation: 'RAKP 1', payloadType: 0x12, answer: 0x13 } })
})

test('an answer that is cut short is a WireError', () => {
  expect(() => begin().next(hex('05 00 04 00 4d000000'))).toThrow(WireError)
})
