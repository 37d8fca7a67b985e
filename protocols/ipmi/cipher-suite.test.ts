import { WireError } from '@bloomery/wire/error.ts'
import { expect, test } from 'vitest'
import { cipherSuites, readCipherSuiteRecords, writeCipherSuiteRecords } from './cipher-suite.ts'
import { hex } from './testing/capture.ts'

test('suites 3 and 17 are written as the specification numbers them, and read', () => {
  const wire = hex('c0 03 01 41 81  c0 11 03 44 81')
  expect(writeCipherSuiteRecords([cipherSuites[3], cipherSuites[17]])).toEqual(wire)
  expect(readCipherSuiteRecords(wire)).toEqual([3, 17])
})

test("a suite without protection and a vendor's own are passed over", () => {
  expect(readCipherSuiteRecords(hex('c0 00 00  c1 80 112233 01 41 81  c0 03 01 41 81'))).toEqual([0, 3])
})

test.each(['c0', 'c1 80 11', 'c2 03 01', 'ff'])('the record %s is a WireError', (wire) => {
  expect(() => readCipherSuiteRecords(hex(wire))).toThrow(WireError)
})
