import { expect, test } from 'vitest'
import { deal } from './processors.ts'

test('processors are dealt out to threads in turn, and those that are not ours to nobody', () => {
  const set = Uint8Array.of(0b1011_0001, 0b1) // 0, 4, 5, 7 and 8
  const found = deal(set, 2)
  expect(found).toHaveLength(16)
  expect(found.flatMap((thread, processor) => (thread === undefined ? [] : [[processor, thread]]))).toEqual([
    [0, 0],
    [4, 1],
    [5, 0],
    [7, 1],
    [8, 0],
  ])
})
