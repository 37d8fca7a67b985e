import { WireError } from '@bloomery/wire/error.ts'
import { expect, test } from 'vitest'
import { readSensorRecord } from './sdr.ts'
import { hex } from './testing/capture.ts'
import { records } from './testing/paper-inventory.ts'

test('a full record names its sensor and converts its readings', () => {
  const record = readSensorRecord(records[0]!)
  if (record.kind !== 'full') throw new Error(record.kind)
  expect(record.sensor).toMatchObject({ owner: 0x20, number: 1, type: 1, eventType: 1, unit: 1, name: 'Inlet' })
  expect(record.sensor.entity).toEqual({ id: 7, instance: 1 })
  expect([0, 67, 255].map(record.convert)).toEqual([-10, 23.5, 117.5])
})

test('a compact record names its sensor', () => {
  expect(readSensorRecord(records[2]!)).toMatchObject({
    kind: 'compact',
    sensor: { number: 3, type: 8, name: 'PSU 1' },
  })
})

test('an event-only record, a FRU locator and others are told apart', () => {
  const eventOnly = '0500 51 03 0f  20 00 09 07 01 12 6f 0000 00 00 c2 4f53'
  const sensor = {
    owner: 0x20,
    lun: 0,
    number: 9,
    entity: { id: 7, instance: 1 },
    type: 0x12,
    eventType: 0x6f,
    unit: 0,
  }
  expect(readSensorRecord(hex(eventOnly))).toEqual({ kind: 'event-only', id: 5, sensor: { ...sensor, name: 'OS' } })
  const locator = '0600 51 11 0f  20 02 80 00 00 10 00 07 01 00 c4 50535531'
  expect(readSensorRecord(hex(locator))).toEqual({ kind: 'fru', id: 6, device: 2, name: 'PSU1' })
  expect(readSensorRecord(hex('0700 51 c0 03 112233'))).toEqual({ kind: 'other', id: 7, type: 0xc0 })
})

test('a record that is cut short, wherever, is a WireError', () => {
  for (const record of records) {
    for (let length = 0; length < record.length; length += 1)
      expect(() => readSensorRecord(record.subarray(0, length))).toThrow(WireError)
  }
})
