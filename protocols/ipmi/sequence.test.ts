import { expect, test } from 'vitest'
import { SequenceCounter, SequenceWindow } from './sequence.ts'

function accepted(...numbers: number[]): boolean[] {
  const window = new SequenceWindow()
  return numbers.map((number) => window.accept(number))
}

test('outbound numbers start at 1 and leave 0 out when they wrap', () => {
  expect(new SequenceCounter().next()).toBe(1)
  const late = new SequenceCounter(0xffff_fffe)
  expect([late.next(), late.next()]).toEqual([0xffff_ffff, 1])
})

test('each number is accepted once', () => {
  expect(accepted(1, 2, 2, 1, 3, 3)).toEqual([true, true, false, false, true, false])
})

test('numbers may overtake each other by up to 15', () => {
  expect(accepted(20, 5, 4, 5)).toEqual([true, true, false, false])
})

test('numbers may be lost, up to 15 in a row', () => {
  expect(accepted(1, 17, 34)).toEqual([true, true, false])
})

test('0 is never accepted', () => {
  expect(accepted(0, 1, 0)).toEqual([false, true, false])
})

test('numbers go on after they wrap', () => {
  expect(accepted(0xffff_ffff, 1, 0xffff_fffe, 0xffff_ffff, 2)).toEqual([true, true, true, false, true])
})
