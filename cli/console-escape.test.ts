import { expect, test } from 'vitest'
import { EscapeReader } from './console-escape.ts'

test.each([
  ['ls ~\r', [{ text: 'ls ~\r' }]],
  ['~.', [{ text: '', command: 'leave' }]],
  ['ls\r~Bx', [{ text: 'ls\r', command: 'break' }, { text: 'x' }]],
  ['~~x', [{ text: '~x' }]],
  ['~x', [{ text: '~x' }]],
  ['a~.', [{ text: 'a~.' }]],
  [
    '~?~.',
    [
      { text: '', command: 'help' },
      { text: '', command: 'leave' },
    ],
  ],
])('%j', (input, typed) => {
  expect(new EscapeReader().read(input)).toEqual(typed)
})

test('an escape may come in two pieces', () => {
  const reader = new EscapeReader()
  expect([...reader.read('\r~'), ...reader.read('.')]).toEqual([{ text: '\r' }, { text: '', command: 'leave' }])
})
