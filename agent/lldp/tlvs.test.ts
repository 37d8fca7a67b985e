import { expect, it } from 'vitest'
import { tlvsOf } from './tlvs.ts'

const header = '0180c200000e52540000beef88cc'
const frame = (body: string, head = header) => Buffer.from(head + body, 'hex')

it('reads types and values up to the end, whatever padding follows', () => {
  expect(tlvsOf(frame('02030461620a037377310000000000000000'))).toEqual([
    [1, '046162'],
    [5, '737731'],
    [0, ''],
  ])
})

it.each([
  ['of another protocol', frame('0000', '0180c200000e52540000beef0800')],
  ['too short', Buffer.from(header, 'hex')],
  ['that breaks off in a value', frame('02ff04')],
  ['that breaks off before its end', frame('0203046162')],
  ['of more than any switch sends', frame('0200'.repeat(200) + '0000')],
])('takes nothing from a frame %s', (_, bytes) => {
  expect(tlvsOf(bytes)).toBeUndefined()
})
