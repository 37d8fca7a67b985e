import { expect, test } from 'vitest'
import { noteOf, notesOf, sum, tallyOf } from './tally.ts'

test('the last count of a report is the one that stands', () => {
  expect(tallyOf('3 passed, 0 failed\n…\n12 passed, 1 failed\n', 1)).toEqual({ passed: 12, failed: 1 })
})

test('a static check is one test, told by its exit code', () => {
  expect(tallyOf('Found 0 warnings and 0 errors.\n', 0)).toEqual({ passed: 1, failed: 0 })
  expect(tallyOf('src.ts(1,1): error\n', 2)).toEqual({ passed: 0, failed: 1 })
})

test('a runner that fails after all tests passed is a failure', () => {
  expect(tallyOf('7 passed, 0 failed\n', 1)).toEqual({ passed: 7, failed: 1 })
})

test('a project without any tests is a failure', () => {
  expect(tallyOf('0 passed, 0 failed\n', 0)).toEqual({ passed: 0, failed: 1 })
})

test('words in the middle of a line are no count', () => {
  expect(tallyOf('he said: 9 passed, 9 failed today\n', 0)).toEqual({ passed: 1, failed: 0 })
})

test('counts of parts add up', () => {
  expect(
    sum([
      { passed: 1, failed: 0 },
      { passed: 5, failed: 2 },
    ]),
  ).toEqual({ passed: 6, failed: 2 })
})

test('what failed is found in a report by a line each', () => {
  const notes = [noteOf('a.test.ts > it holds', 'expected 1\nto be 2'), noteOf('b.test.ts > late')]
  expect(notesOf(`…\n${notes.join('\n')}\n1 passed, 1 failed\n`)).toEqual([
    'failed: a.test.ts > it holds: expected 1',
    'failed: b.test.ts > late: says nothing',
  ])
})
