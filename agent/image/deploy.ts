import { z } from 'zod'
import { imageInfo, type CommandProgress, type ImageInfo } from '../../contract/agent.ts'
import { openDisk, showTable, wipeEnds, writeAt } from '../disks/device.ts'
import { MiB, type Disk } from '../disks/disk.ts'
import { fitTable, placeForConfigDrive } from '../disks/table.ts'
import { ask } from '../http.ts'
import { reason, withoutSecrets } from '../log.ts'
import { decodeConfigDrive, largestConfigDrive } from './config-drive.ts'
import { expectedDigest } from './digest.ts'
import { download, type Downloading } from './download.ts'
import { openChunks } from './chunks/source.ts'
import { writeChunks } from './chunks/write.ts'
import { declaredFormat } from './format.ts'
import { shared } from './peers/share.ts'
import { writeQcow2 } from './qcow2.ts'
import { tooLarge, writeVerified, type Target } from './write.ts'
import { CommandFailure } from '../failure.ts'

/** Arguments of the step write_image, and of standby.prepare_image. */
export const writeArguments = z.looseObject({ image_info: imageInfo, configdrive: z.string().nullish() })
export type WriteArguments = z.output<typeof writeArguments>

export type Progress = (progress: CommandProgress) => void

/** Turns a disk into the image: written, verified, its table fitted to the disk, its config drive in place. */
export async function deployImage(
  wanted: WriteArguments,
  disk: Disk,
  means: Downloading,
  progress: Progress,
): Promise<string> {
  const image = wanted.image_info
  const { expected, drive } = await beforehand(wanted, means)
  const handle = await openDisk(disk.name)
  try {
    await wipeEnds(handle, 0, disk.size)
    await handle.sync()
    try {
      await writeImage(image, expected, { handle, name: disk.name, size: disk.size }, means, progress)
      const table = await fitTable(handle, disk)
      if (drive) await writeAt(handle, (await placeForConfigDrive(handle, disk, drive.length)).offset, drive)
      means.log.info('image in place', {
        image: image.id,
        disk: disk.name,
        gpt: table !== undefined,
        drive: drive?.length ?? 0,
      })
    } catch (error) {
      await wipeEnds(handle, 0, disk.size).catch((second: unknown) => {
        means.log.error('wiping after a failed write failed too', { disk: disk.name, because: reason(second) })
      })
      throw error
    } finally {
      await handle.sync()
    }
  } finally {
    await handle.close()
  }
  await showTable(disk.name, means.clock)
  return `image (${image.id}) written to device ${disk.name}`
}

/** What must be known, and be well, before anything on a disk is touched. */
export async function beforehand(wanted: WriteArguments, means: Downloading) {
  const expected = await expectedDigest(wanted.image_info, (url) => fetchText(url, means))
  return { expected, drive: await configDrive(wanted, means) }
}

/** Writes the image's bytes to a disk or a partition; its first block is written last, and only when all is well. */
export async function writeImage(
  image: ImageInfo,
  expected: Awaited<ReturnType<typeof expectedDigest>>,
  target: Target,
  means: Downloading,
  progress: Progress,
): Promise<void> {
  if (image.bloomery_manifest) {
    const source = await openChunks(image, expected, means.imageKeys, means)
    const report = meter(means, () => source.manifest.virtual_size, progress)
    const { url, peers } = image.bloomery_manifest
    if (!peers) return writeChunks(image.id, source, target, report)
    const base = url.slice(0, url.lastIndexOf('/'))
    await using sharing = await shared(source, { ...peers, base }, target, means)
    await writeChunks(image.id, sharing, target, report)
    return
  }
  if (means.imageKeys.length > 0)
    throw new CommandFailure(
      'InvalidImage',
      `image ${image.id} has no signed manifest, and only signed images are accepted here`,
    )
  const format = declaredFormat(image.id, image.disk_format)
  let total: number | undefined
  const bytes = download(
    {
      id: image.id,
      urls: image.urls,
      authorization: authorizationOf(image),
      begin(size) {
        total = size
        if (format === 'raw' && size !== undefined && size > target.size) throw tooLarge(image.id, size, target)
      },
    },
    means,
  )
  const report = meter(means, () => total, progress)
  if (format === 'raw') {
    await writeVerified(image.id, bytes, target, expected, report)
    return
  }
  await writeQcow2({ id: image.id, bytes, total: () => total, expected, received: report }, target)
}

/** Reports bytes as progress, with the mean speed. */
function meter({ clock }: Downloading, total: () => number | undefined, progress: Progress): (bytes: number) => void {
  const began = clock.now()
  return (bytes) => {
    const seconds = Math.max(0.001, (clock.now() - began) / 1000)
    const all = total()
    progress({
      percent: all === undefined || all === 0 ? undefined : Math.floor((bytes / all) * 1000) / 10,
      mb_per_second: Math.round(bytes / seconds / 100_000) / 10,
      bytes,
    })
  }
}

function authorizationOf(image: ImageInfo): string | undefined {
  return image.image_request_authorization ? `Basic ${image.image_request_authorization}` : undefined
}

async function configDrive(wanted: WriteArguments, means: Downloading): Promise<Buffer | undefined> {
  const own = wanted.image_info.configdrive
  const given = wanted.configdrive ?? (typeof own === 'string' ? own : undefined)
  if (!given) return undefined
  if (!/^https?:\/\//.test(given)) return decodeConfigDrive(Buffer.from(given, 'latin1'))
  // What a web server holds may be base64, a third larger than what it stands for.
  const { status, body } = await ask(means.trust, { url: given, seconds: means.seconds }, largestConfigDrive * 1.5)
  if (status !== 200)
    throw new CommandFailure(
      'InvalidConfigDrive',
      `the config drive at ${withoutSecrets(given)} was answered ${status}`,
    )
  return decodeConfigDrive(body)
}

async function fetchText(url: string, means: Downloading): Promise<string> {
  const { status, body } = await ask(means.trust, { url, seconds: means.seconds }, MiB)
  if (status === 200) return body.toString('utf8')
  throw new CommandFailure('ImageChecksumError', `the checksum file ${withoutSecrets(url)} was answered ${status}`)
}
