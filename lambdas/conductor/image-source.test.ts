import { expect, it } from 'vitest'
import { stepArguments } from '../../contract/step-arguments.ts'
import type { Table } from '../platform.ts'
import { resolveImage } from './image-source.ts'

const none = { get: () => Promise.resolve(undefined) } as unknown as Table
const sha256 = 'a'.repeat(64)
const md5 = 'd'.repeat(32)
const web = 'https://images.example/d.qcow2'

const resolve = (info: Record<string, unknown>, driverInfo: Record<string, unknown> = {}, allowMd5 = false) =>
  resolveImage(none, { instance_info: info, driver_info: driverInfo }, { allow_md5_checksum: allowMd5 })

it.each([
  [
    'a URL with a digest needs no look at the site',
    { image_source: web, image_checksum: sha256 },
    { source: { kind: 'url', url: web }, disk_format: 'qcow2', os_hash_algo: 'sha256', os_hash_value: sha256 },
  ],
  [
    'the named algorithm may be in capitals',
    { image_source: web, image_os_hash_algo: 'SHA256', image_os_hash_value: sha256.toUpperCase() },
    { os_hash_algo: 'sha256', os_hash_value: sha256 },
  ],
  [
    'a checksum file is for the site to read',
    { image_source: web, image_checksum: 'https://images.example/SHA256SUMS', image_disk_format: 'raw' },
    { place: { kind: 'http', url: web }, checksum: { url: 'https://images.example/SHA256SUMS' }, disk_format: 'raw' },
  ],
  [
    'a server that wants a password is for the site to ask',
    { image_source: web, image_checksum: sha256, image_request_authorization_secret: { $sealed: {} } },
    { place: { kind: 'http', url: web }, checksum: { algorithm: 'sha256', value: sha256 } },
  ],
  [
    'an image may go straight to the machine',
    { image_source: web, image_checksum: sha256, image_download_source: 'http' },
    { place: { kind: 'http', url: web }, direct: true },
  ],
  [
    'a file of the site needs no checksum',
    { image_source: 'file:///srv/images/d%20x.raw' },
    { place: { kind: 'file', path: '/srv/images/d x.raw' }, checksum: null, disk_format: null },
  ],
  [
    'in a registry, image_checksum says nothing',
    { image_source: 'oci://quay.io/a/b:1', image_checksum: md5 },
    { place: { kind: 'oci', reference: 'oci://quay.io/a/b:1' }, checksum: null },
  ],
])('%s', async (_, info, expected) => {
  const image = await resolve(info)
  expect(image).toMatchObject(expected)
  const args = { image, config_drive: null }
  expect(stepArguments['deploy.write_image'].parse(args)).toEqual(args)
})

it('an MD5 will do only where the operator says so', async () => {
  const info = { image_source: web, image_checksum: md5 }
  await expect(resolve(info)).rejects.toThrow('allow_md5_checksum')
  expect(await resolve(info, {}, true)).toMatchObject({ checksum: { algorithm: 'md5', value: md5 }, allow_md5: true })
})

it.each([
  [{}, 'lacks image_source'],
  [{ image_source: 'ftp://x/y' }, 'only http, https, file and oci'],
  [{ image_source: web }, 'needs image_checksum'],
  [{ image_source: web, image_checksum: 'abc' }, 'not a sha256 or sha512'],
  [{ image_source: web, image_os_hash_value: sha256 }, 'not a sha256 or sha512'],
  [{ image_source: web, image_os_hash_algo: 'sha512', image_os_hash_value: sha256 }, 'not a sha256 or sha512'],
  [{ image_source: 'https://u:p@images.example/d', image_checksum: sha256 }, 'image_request_authorization_secret'],
  [{ image_source: web, image_checksum: sha256, image_disk_format: 'vmdk' }, 'neither raw nor qcow2'],
  [{ image_source: web, image_checksum: sha256, image_download_source: 'swift' }, 'neither local'],
  [{ image_source: 'file://host/path' }, 'file:///PATH'],
  [{ image_source: 'file:///a%00b' }, 'file:///PATH'],
  [{ image_source: 'oci://quay.io' }, 'is not of the form oci://'],
  [{ image_source: 'oci://quay.io/A B' }, 'is not of the form oci://'],
  [{ image_source: 'oci://quay.io/a/b@md5:00' }, 'is not of the form oci://'],
])('%j is refused: %s', async (info, why) => {
  await expect(resolve(info)).rejects.toThrow(why)
})
