import { expect, it } from 'vitest'
import { digestInFile, fileNameIn, readDigest } from './checksum.ts'

const md5 = 'd'.repeat(32)
const sha256 = 'a'.repeat(64)
const sha512 = 'b'.repeat(128)

it.each([
  [sha256, { algorithm: 'sha256', value: sha256 }],
  [`sha512:${sha512.toUpperCase()}`, { algorithm: 'sha512', value: sha512 }],
  [` ${md5}\n`, { algorithm: 'md5', value: md5 }],
  [`sha256:${md5}`, undefined],
  ['sha256:', undefined],
  ['z'.repeat(64), undefined],
  ['a'.repeat(65), undefined],
])('%j is read as %j', (text, expected) => {
  expect(readDigest(text)).toEqual(expected)
})

it.each([
  ['nothing but a digest', `${sha256}\n`],
  ['GNU, text', `# made today\n${'c'.repeat(64)}  other\n${sha256}  x.raw\n`],
  ['GNU, binary', `${sha256} *x.raw\n${'c'.repeat(64)} *other\n`],
  ['GNU, of a folder', `${sha256}  ./x.raw\n${'c'.repeat(64)}  ./y.raw\n`],
  ['BSD', `SHA256 (other) = ${'c'.repeat(64)}\nSHA256 (x.raw) = ${sha256.toUpperCase()}\n`],
  ['with several kinds of digests', `${md5}  x.raw\r\n${sha256}  x.raw\r\n`],
])('the digest of one file is found in a checksum file of the form: %s', (_, text) => {
  expect(digestInFile(text, 'x.raw')).toEqual({ algorithm: 'sha256', value: sha256 })
})

it.each([
  ['it is empty', ''],
  ['it names others', `${sha256}  x.raw.sig\n${sha256}  xx.raw\n`],
  ['a name is a pattern of others', `${sha256}  xyraw\n${sha256}  z\n`],
  ['a digest is cut off', `${sha256.slice(1)}  x.raw\n${sha256}  y\n`],
  ['the kind and the digest differ', `SHA512 (x.raw) = ${sha256}\nSHA256 (y) = ${sha256}\n`],
])('a checksum file says nothing of a file when %s', (_, text) => {
  expect(digestInFile(text, 'x.raw')).toBeUndefined()
})

it('a file is called as its URL ends', () => {
  expect(fileNameIn('https://images.example/a/debian%2012.raw?x=/y')).toBe('debian 12.raw')
  expect(fileNameIn('https://images.example/%zz')).toBe('%zz')
})
