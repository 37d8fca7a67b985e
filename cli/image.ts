import { open, stat } from 'node:fs/promises'
import { basename, extname } from 'node:path'
import { formatOf, HEAD_BYTES } from '@bloomery/image/detect.ts'
import { Command } from 'commander'
import type { Client } from '../contract/api/client.ts'
import { define } from './context.ts'
import { tabular } from './output.ts'
import { meter } from './meter.ts'
import { sha256OfFile, upload } from './upload.ts'
import { UsageError } from './usage.ts'

const formats = ['raw', 'qcow2'] as const
type Format = (typeof formats)[number]

export function imageCommand(): Command {
  return new Command('image')
    .description('disk images to deploy')
    .addCommand(push())
    .addCommand(list())
    .addCommand(remove())
}

function push(): Command {
  const command = new Command('push')
    .argument('<file>')
    .description('upload a whole-disk image')
    .option('--name <name>', 'default: the name of the file, without its ending')
    .option('--format <format>', `${formats.join(' | ')}; default: as the file begins`)
  return define(
    command,
    ['bloomery image push debian-13.raw', 'bloomery image push disk.img --name debian-13 --format qcow2'],
    async ({ client, print, json }, [file], options: { name?: string; format?: string }) => {
      const name = options.name ?? basename(file!, extname(file!))
      const { size } = await stat(file!).catch((cause: unknown) => {
        throw new UsageError(`cannot read ${file}`, { cause })
      })
      if (size === 0) throw new UsageError(`${file} is empty`)
      const found = await formatOfFile(file!)
      const format = options.format ?? found
      if (!isFormat(format))
        throw new UsageError(`${file} is ${format}; an image is raw or qcow2: unpack it, or qemu-img convert -O qcow2`)
      if (format !== found) throw new UsageError(`${file} begins as ${found}, and is not ${format}`)
      const sha256 = await sha256OfFile(file!, meter('hashing', size, json))
      await dropUnfinished(client, name)
      const created = await client.images.create({ name, size, sha256, disk_format: format })
      try {
        await upload(created.upload, file!, size, () => meter('uploading', size, json))
      } catch (error) {
        await client.images.delete(created.image.uuid)
        throw error
      }
      const image = await client.images.complete(created.image.uuid)
      print(image, `Image ${name} pushed: ${size} bytes, sha256 ${sha256}`)
    },
  )
}

function list(): Command {
  const command = new Command('list').description('all images')
  return define(command, ['bloomery image list'], async ({ client, print }) => {
    const images = await client.images.list()
    const rows = images.map(({ name, state, disk_format, size, os_hash_value }) => [
      name,
      state,
      disk_format,
      size,
      os_hash_value.slice(0, 16),
    ])
    print(images, tabular(['IMAGE', 'STATE', 'FORMAT', 'BYTES', 'DIGEST'], rows))
  })
}

function remove(): Command {
  const command = new Command('delete')
    .argument('<image>')
    .description('delete an image that no node names')
    .option('--force', 'also one that nodes would be rebuilt from')
  return define(
    command,
    ['bloomery image delete debian-12'],
    async ({ client, print }, [image], { force = false }: { force?: boolean }) => {
      await client.images.delete(image!, { force })
      print({ deleted: image }, `Image ${image} deleted.`)
    },
  )
}

/** What an upload that broke off has left under this name. */
async function dropUnfinished(client: Client, name: string): Promise<void> {
  const before = (await client.images.list()).find((image) => image.name === name)
  if (before?.state === 'queued') await client.images.delete(before.uuid)
}

/** As the file begins; a CD image is written as it is. */
async function formatOfFile(path: string): Promise<string> {
  const file = await open(path, 'r')
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0)
    const found = formatOf(buffer.subarray(0, bytesRead))
    return found === 'iso' ? 'raw' : found
  } finally {
    await file.close()
  }
}

function isFormat(text: string): text is Format {
  return (formats as readonly string[]).includes(text)
}
