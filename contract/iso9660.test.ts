import { expect, test } from 'vitest'
import { writeIso } from './iso9660.ts'

const file = (path: string, text = path) => ({ path, content: Buffer.from(text) })

test('the order of the files does not change the volume', () => {
  const files = [file('a/one.json'), file('b/two'), file('a/three')]
  expect(writeIso('config-2', [...files].reverse())).toEqual(writeIso('config-2', files))
})

test('descriptors stand where ECMA-119 says and carry the label in both trees', () => {
  const volume = Buffer.from(writeIso('config-2', [file('a')]))
  expect(volume.toString('latin1', 16 * 2048, 16 * 2048 + 6)).toBe('\x01CD001')
  expect(volume.toString('latin1', 16 * 2048 + 40, 16 * 2048 + 48)).toBe('config-2')
  expect(volume.toString('latin1', 17 * 2048, 17 * 2048 + 6)).toBe('\x02CD001')
  expect(
    volume
      .subarray(17 * 2048 + 40, 17 * 2048 + 56)
      .swap16()
      .toString('utf16le'),
  ).toBe('config-2')
  expect(volume.toString('latin1', 18 * 2048, 18 * 2048 + 6)).toBe('\xffCD001')
})

test('the volume states its own size', () => {
  const volume = Buffer.from(writeIso('config-2', [file('a', 'x'.repeat(5000))]))
  expect(volume.readUInt32LE(16 * 2048 + 80) * 2048).toBe(volume.length)
  expect(volume.readUInt32BE(16 * 2048 + 84) * 2048).toBe(volume.length)
})

test('equal contents are stored once', () => {
  const text = 'the same words '.repeat(1000)
  const once = writeIso('config-2', [file('a/x', text)])
  const twice = writeIso('config-2', [file('a/x', text), file('a/y', text)])
  expect(twice.length).toBe(once.length)
})

test('a directory of more names than a sector holds goes on in the next sector', () => {
  const names = Array.from({ length: 100 }, (_, index) => file(`name-${String(index).padStart(3, '0')}`))
  const volume = Buffer.from(writeIso('config-2', names))
  const size = volume.readUInt32LE(16 * 2048 + 156 + 10)
  expect(size).toBeGreaterThan(2048)
  expect(size % 2048).toBe(0)
})

test.each(['', '/a', 'a//b', '../a', 'a/.', 'sp ace', 'x'.repeat(31), 'a/b/c/d/e/f/g/h/i'])(
  'the path "%s" is refused',
  (path) => {
    expect(() => writeIso('config-2', [file(path)])).toThrow(RangeError)
  },
)

test('names that would be one name in the plain tree are refused', () => {
  expect(() => writeIso('config-2', [file('a-b'), file('A_B')])).toThrow('differ only in letter case or dashes')
})

test('a path given twice is refused', () => {
  expect(() => writeIso('config-2', [file('a'), file('a')])).toThrow('given twice')
})

test('a volume larger than a config drive may be is refused', () => {
  expect(() => writeIso('config-2', [{ path: 'a', content: Buffer.alloc(64 << 20) }])).toThrow('more than 67108864')
})
