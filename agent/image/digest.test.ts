import { expect, it } from 'vitest'
import { expectedDigest } from './digest.ts'

const sha256 = 'a'.repeat(64)
const sha512 = 'b'.repeat(128)
const image = (more: Record<string, unknown>) => ({
  id: 'debian',
  urls: ['http://192.0.2.1/images/debian.raw'],
  ...more,
})
const noFile = () => Promise.reject(new Error('no checksum file was expected to be fetched'))

it.each([
  [{ os_hash_algo: 'sha256', os_hash_value: sha256.toUpperCase() }, 'sha256', sha256],
  [{ os_hash_algo: 'SHA512', os_hash_value: sha512, checksum: 'ignored' }, 'sha512', sha512],
  [{ checksum: sha256 }, 'sha256', sha256],
  [{ checksum: `sha256:${sha256}` }, 'sha256', sha256],
  [{ checksum: sha512, os_hash_algo: null, os_hash_value: null }, 'sha512', sha512],
])('%j expects a %s', async (given, algorithm, value) => {
  expect(await expectedDigest(image(given), noFile)).toEqual({ algorithm, value })
})

it.each([
  [{}, 'it has no checksum'],
  [{ checksum: 'd41d8cd98f00b204e9800998ecf8427e' }, 'MD5 is not supported'],
  [{ os_hash_algo: 'md5', os_hash_value: 'd41d8cd98f00b204e9800998ecf8427e' }, 'os_hash_algo is md5'],
  [{ os_hash_algo: 'sha512', os_hash_value: sha256 }, 'has the length of a sha256'],
  [{ os_hash_value: sha256 }, 'os_hash_algo is missing'],
  [{ checksum: 'z'.repeat(64) }, 'neither a SHA-256 nor a SHA-512'],
])('%j cannot be verified: %s', async (given, why) => {
  await expect(expectedDigest(image(given), noFile)).rejects.toThrow(why)
})

it('a URL stands for a checksum file, which must name the image', async () => {
  const given = image({ checksum: 'https://192.0.2.1/SHA256SUMS' })
  const fetched = (text: string) => (url: string) => Promise.resolve(url.endsWith('SHA256SUMS') ? text : '')
  const found = await expectedDigest(given, fetched(`${'c'.repeat(64)}  other.raw\n${sha256} *debian.raw\n`))
  expect(found).toEqual({ algorithm: 'sha256', value: sha256 })
  await expect(expectedDigest(given, fetched(`${sha256}  other.raw\n${sha256}  xdebian.raw\n`))).rejects.toThrow(
    'name debian.raw',
  )
})
