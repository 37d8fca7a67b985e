import { gzipSync } from 'node:zlib'
import { expect, it } from 'vitest'
import { MiB } from '../disks/disk.ts'
import { decodeConfigDrive } from './config-drive.ts'

function iso(label = 'config-2'): Buffer {
  const image = Buffer.alloc(40_960)
  image.write('\x01CD001\x01', 32_768, 'latin1')
  image.write(label.padEnd(32), 32_808, 'latin1')
  return image
}

it('takes gzip in base64, with or without line ends, gzip, and the image itself', async () => {
  const zipped = gzipSync(iso())
  const base64 = zipped.toString('base64')
  for (const given of [base64, base64.replaceAll(/.{60}/g, '$&\n')])
    expect(await decodeConfigDrive(Buffer.from(given))).toEqual(iso())
  expect(await decodeConfigDrive(zipped)).toEqual(iso())
  expect(await decodeConfigDrive(iso())).toEqual(iso())
})

it.each([
  ['words', Buffer.from('no config drive!'), 'neither base64, gzip nor ISO 9660'],
  ['nothing', Buffer.alloc(0), 'neither base64, gzip nor ISO 9660'],
  ['another image', gzipSync(Buffer.alloc(40_960)), 'not an ISO 9660 image'],
  ['another label', iso('cidata'), 'its label is "cidata"'],
  ['a torn archive', gzipSync(iso()).subarray(0, 50), 'cannot be unzipped'],
  ['an archive that unfolds without end', gzipSync(Buffer.alloc(65 * MiB)), 'cannot be unzipped to at most 64 MiB'],
])('refuses %s', async (_, given, why) => {
  await expect(decodeConfigDrive(given)).rejects.toThrow(why)
})
