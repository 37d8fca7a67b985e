import { expect, test } from 'vitest'
import { fallenLine, fallenOf, withSecondTry } from './second-try.ts'
import { noteOf } from './tally.ts'

const story = { file: 'test/story.test.ts', passed: 1, failed: 2 }
const first = {
  passed: 9,
  failed: 2,
  notes: [
    noteOf('test/story.test.ts > it goes on: late', 'timed out'),
    noteOf('test/story.test.ts > it ends', 'not yet'),
  ],
}

test('files of which something failed are run once more', () => {
  expect(fallenOf(`…\n${fallenLine(story)}\n9 passed, 2 failed\n`, first)).toEqual([story])
})

test('a second run does not help against what failed outside of tests, nor where many files fell', () => {
  expect(fallenOf(`${fallenLine(story)}\n`, { passed: 9, failed: 3 })).toEqual([])
  const many = Array.from({ length: 6 }, (_, n) => ({ file: `test/${n}.test.ts`, passed: 0, failed: 1 }))
  expect(fallenOf(many.map((each) => `${fallenLine(each)}\n`).join(''), { passed: 0, failed: 6 })).toEqual([])
})

test('what passes then is passed, and told', () => {
  const second = { passed: 3, failed: 0, notes: [] }
  expect(withSecondTry(first, [story], second)).toEqual({
    passed: 11,
    failed: 0,
    notes: [
      'second try: test/story.test.ts > it goes on: late: timed out',
      'second try: test/story.test.ts > it ends: not yet',
    ],
  })
})

test('what fails again has failed, for the reason of the second run', () => {
  const again = noteOf('test/story.test.ts > it ends', 'never')
  expect(withSecondTry(first, [story], { passed: 2, failed: 1, notes: [again] })).toEqual({
    passed: 10,
    failed: 1,
    notes: ['second try: test/story.test.ts > it goes on: late: timed out', again],
  })
})
