import { gunzipSync } from 'node:zlib'
import { assert, property, string } from 'fast-check'
import { expect, test } from 'vitest'
import { configDriveSource, encodeConfigDrive, renderConfigDrive } from './config-drive.ts'

test('equal sources give equal volumes', () => {
  const source = { meta_data: { uuid: 'u', hostname: 'h' }, user_data: '#cloud-config\n' }
  expect(renderConfigDrive({ ...source })).toEqual(renderConfigDrive(source))
})

test('whatever the user data, the volume holds it', () => {
  assert(
    property(string({ unit: 'binary', minLength: 1, maxLength: 5000 }), (text) => {
      expect(Buffer.from(renderConfigDrive({ user_data: text })).includes(Buffer.from(text))).toBe(true)
    }),
  )
})

test('user data given as an object is written as JSON', () => {
  expect(Buffer.from(renderConfigDrive({ user_data: { a: [1] } })).includes('{"a":[1]}')).toBe(true)
})

test('the string form is base64 of gzip of the volume', () => {
  const volume = renderConfigDrive({ meta_data: { hostname: 'h' } })
  expect(gunzipSync(Buffer.from(encodeConfigDrive(volume), 'base64'))).toEqual(Buffer.from(volume))
})

test('a key that no config drive knows is refused', () => {
  expect(configDriveSource.safeParse({ metadata: {} }).success).toBe(false)
})
