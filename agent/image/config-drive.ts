import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import { MiB } from '../disks/disk.ts'
import { CommandFailure } from '../failure.ts'

/** What Ironic allows a config drive to be. */
export const largestConfigDrive = 64 * MiB

const unzip = promisify(gunzip)

/** A config drive as Ironic sends it — gzip in base64 — or as a web server may hold it: an ISO 9660 image. */
export async function decodeConfigDrive(given: Buffer): Promise<Buffer> {
  const zipped = isGzip(given) || isIso(given) ? given : fromBase64(given)
  const image = isGzip(zipped) ? await unzipped(zipped) : zipped
  if (!isIso(image)) throw refused('it is not an ISO 9660 image')
  const label = image.toString('latin1', 32_808, 32_840).trim()
  if (label.toLowerCase() !== 'config-2')
    throw refused(`its label is "${label.replaceAll(/[^\x20-\x7e]/g, '?')}", not config-2`)
  if (image.length > largestConfigDrive) throw refused(`it has ${image.length} bytes, more than 64 MiB`)
  return image
}

function fromBase64(given: Buffer): Buffer {
  const text = given.toString('latin1').replaceAll(/\s/g, '')
  if (text === '' || !/^[A-Za-z0-9+/_-]+=*$/.test(text)) throw refused('it is neither base64, gzip nor ISO 9660')
  return Buffer.from(text, 'base64')
}

async function unzipped(bytes: Buffer): Promise<Buffer> {
  try {
    return await unzip(bytes, { maxOutputLength: largestConfigDrive })
  } catch (cause) {
    throw new CommandFailure('InvalidConfigDrive', 'the config drive cannot be unzipped to at most 64 MiB', { cause })
  }
}

/** RFC 1952 §2.3.1 */
function isGzip(bytes: Buffer): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b
}

/** ECMA-119 §8.4: the primary volume descriptor, in sector 16, of which the label is at offset 40. */
function isIso(bytes: Buffer): boolean {
  return bytes.length >= 34_816 && bytes.toString('latin1', 32_769, 32_774) === 'CD001'
}

function refused(why: string): CommandFailure {
  return new CommandFailure('InvalidConfigDrive', `the config drive cannot be used: ${why}`)
}
