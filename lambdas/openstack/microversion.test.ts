import { expect, test } from 'vitest'
import { askedOf, minorOf } from './microversion.ts'

const compute = { major: 2, least: 1, most: 90 }

test('nothing said is the least, latest the most', () => {
  expect([minorOf(undefined, compute), minorOf('latest', compute), minorOf('2.47', compute)]).toEqual([1, 90, 47])
})

test('what is no version, or of another major one, is a bad request; what is not spoken is not acceptable', () => {
  for (const strange of ['2', '3.1', '2.1234', 'new'])
    expect(() => minorOf(strange, compute), strange).toThrow('format')
  for (const unspoken of ['2.0', '2.91']) expect(() => minorOf(unspoken, compute), unspoken).toThrow('not supported')
})

test('a header may speak of several services', () => {
  const header = 'compute 2.47, block-storage 3.59'
  expect([askedOf(/compute/, header), askedOf(/volume|block-storage/, header)]).toEqual(['2.47', '3.59'])
  expect([askedOf(/volume|block-storage/, 'VOLUME latest'), askedOf(/compute/, undefined)]).toEqual([
    'latest',
    undefined,
  ])
  expect(askedOf(/compute/, 'volume 3.1')).toBeUndefined()
})
