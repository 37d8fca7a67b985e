import fc from 'fast-check'
import { expect, test } from 'vitest'
import { SCREEN } from '../../contract/console.ts'
import { Screen } from './screen.ts'

const ESC = '\u001b'

function shows(text: string): string[] {
  const screen = new Screen()
  screen.write(text)
  return screen.lines()
}

test.each([
  ['lines', 'one\r\ntwo\r\n', ['one', 'two']],
  ['a line feed alone keeps the column', 'ab\ncd', ['ab', '  cd']],
  ['a carriage return and backspace write over', '100%\r 50\b\b9', [' 90%']],
  ['tabs', 'a\tb', ['a       b']],
  ['a line that is too long', 'x'.repeat(82), ['x'.repeat(80), 'xx']],
  ['a full line and its line break are one line', `${'x'.repeat(80)}\r\ny`, ['x'.repeat(80), 'y']],
  ['colours are left out', `${ESC}[1;31mred${ESC}[0m`, ['red']],
  ['places', `${ESC}[2J${ESC}[3;5Hhere${ESC}[H1`, ['1', '', '    here']],
  ['relative moves', `abc${ESC}[2Dx${ESC}[By${ESC}[Az${ESC}[5Gw`, ['axczw', '  y'].map((line) => line)],
  ['clearing to the end of a line and of the screen', `one\r\ntwo\r\nthree${ESC}[2;2H${ESC}[K${ESC}[J`, ['one', 't']],
  ['clearing what is before', `one\r\ntwo${ESC}[1K`, ['one']],
  ['saving and coming back', `ab${ESC}7\r\nxx${ESC}8c`, ['abc', 'xx']],
  ['titles and character sets', `${ESC}]0;title\u0007a${ESC}(0b${ESC}P+q${ESC}\\c`, ['abc']],
  ['a region that scrolls', `top\r\na\r\nb${ESC}[2;3r${ESC}[3;1H\nc`, ['top', 'b', 'c']],
  ['a reset', `old${ESC}cnew`, ['new']],
  ['private modes', `${ESC}[?25lx${ESC}[?7hy`, ['xy']],
  ['inserting and deleting characters', `abcd\r${ESC}[2Px${ESC}[1@`, ['x d']],
] as const)('%s', (_what, text, lines) => {
  expect(shows(text)).toEqual(lines)
})

test('what scrolls off the top is gone, the last lines stay', () => {
  const lines = Array.from({ length: 40 }, (_, n) => `line ${n}`)
  expect(shows(lines.join('\r\n'))).toEqual(lines.slice(-SCREEN.rows))
})

test('a screen is no larger than it is, whatever comes, in whatever pieces', () => {
  const pieces = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.constantFrom(ESC, `${ESC}[`, ';', '999999999999', 'H', 'L', 'M', 'r', 'P', '@', 'J', `${ESC}]`, '\n'.repeat(30)),
    fc.stringMatching(/^\[\d{0,6}(;\d{0,6})?[A-Za-z@]$/).map((sequence) => ESC + sequence),
  )
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 60 }), (texts) => {
      const [whole, inPieces] = [new Screen(), new Screen()]
      whole.write(texts.join(''))
      for (const text of texts) inPieces.write(text)
      const lines = whole.lines()
      expect(lines.length).toBeLessThanOrEqual(SCREEN.rows)
      for (const line of lines) expect(Array.from(line).length).toBeLessThanOrEqual(SCREEN.columns)
      expect(inPieces.lines().length).toBeLessThanOrEqual(SCREEN.rows)
    }),
    { numRuns: 200 },
  )
})
