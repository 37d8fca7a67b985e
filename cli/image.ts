import { ImageError } from '@bloomery/image/error.ts'
import { Command } from 'commander'
import type { Client } from '../contract/api/client.ts'
import { define } from './context.ts'
import { pushBar } from './images/bar.ts'
import { type Base, openBase } from './images/base.ts'
import { ensureImageKey, imageKeyPath, readImageKey } from './images/key.ts'
import { pushImage } from './images/push.ts'
import { openSource } from './images/source.ts'
import { prefetchCommand } from './images/prefetch.ts'
import { tabular } from './output.ts'
import { meter } from './meter.ts'
import { OutcomeError, UsageError } from './usage.ts'
import { whole } from './values.ts'

export function imageCommand(): Command {
  return new Command('image')
    .description('disk images to deploy')
    .addCommand(push())
    .addCommand(list())
    .addCommand(show())
    .addCommand(prefetchCommand())
    .addCommand(retain())
    .addCommand(remove())
    .addCommand(key())
}

interface Pushed {
  name?: string
  format?: string
  key?: string
  unsigned?: boolean
  base?: string
}

function push(): Command {
  const command = new Command('push')
    .argument('<file>', 'or http(s) URL')
    .description('store a whole-disk image: raw, qcow2, vmdk, vhd, vhdx, vdi or ISO, also packed by gzip, xz or zstd')
    .option('--name <name>', 'default: the name of the file, without its ending')
    .option('--format <format>', 'refuse the file unless it is this; default: as the file begins')
    .option('--key <file>', 'private key to sign with; default: that of `bloomery image key`, if it was made')
    .option('--unsigned', 'sign with none')
    .option(
      '--base <file>',
      'or URL of an earlier version that was pushed: what it has in other places is not sent again',
    )
  return define(
    command,
    [
      'bloomery image push debian-13.qcow2',
      'bloomery image push https://images.example/d.raw.xz --name debian-13',
      'bloomery image push tonight.qcow2 --base last-night.qcow2',
    ],
    async ({ client, print, json }, [file], options: Pushed) => {
      const path = options.key ?? imageKeyPath(process.env)
      const signing = options.unsigned ? undefined : await readImageKey(path)
      if (options.key !== undefined && signing === undefined) throw new UsageError(`there is no key ${path}`)
      await using source = await openSource(file!, options.format, (what, total) => meter(what, total, json))
      const name = options.name ?? source.name
      await using base = await openBaseOf(options.base, json)
      await dropUnfinished(client, name)
      const { progress, totals } = pushBar(source.disk.size, json)
      const image = await pushImage({ client, name, source, base, key: signing, progress }).catch((cause: unknown) => {
        if (!(cause instanceof ImageError)) throw cause
        throw new OutcomeError(`${file} can't be used: ${cause.message}`, { cause })
      })
      const how = `${source.format}, ${image.manifest?.boot_modes.join(' and ') || 'no boot loader seen'}`
      print(
        image,
        `Image ${name} pushed: ${image.size} bytes (${how}), sha256 ${image.os_hash_value}, ${totals.stored} bytes uploaded`,
      )
    },
  )
}

async function openBaseOf(given: string | undefined, json: boolean): Promise<Base | undefined> {
  if (given === undefined) return undefined
  await using source = await openSource(given, undefined, (what, total) => meter(what, total, json))
  return await openBase(source.disk, meter('reading the base', source.disk.size, json))
}

function key(): Command {
  const command = new Command('key')
    .description('the public key to put where images are accepted; makes the pair if there is none')
    .option('--file <file>', 'of the private key; default: in ~/.config/bloomery')
  return define(command, ['bloomery image key'], async ({ print }, _, { file }: { file?: string }) => {
    const path = file ?? imageKeyPath(process.env)
    const { publicKey } = await ensureImageKey(path)
    print({ public_key: publicKey, file: path }, publicKey)
  })
}

function list(): Command {
  const command = new Command('list').description('all images')
  return define(command, ['bloomery image list'], async ({ client, print }) => {
    const images = await client.images.list()
    const rows = images.map(({ name, state, disk_format, size, os_hash_value, manifest }) => [
      name,
      state,
      manifest?.source_format ?? disk_format,
      size,
      manifest?.stored_size ?? size,
      manifest?.boot_modes.join(' ') ?? '',
      manifest?.key ? 'yes' : 'no',
      os_hash_value.slice(0, 16),
    ])
    print(images, tabular(['IMAGE', 'STATE', 'FORMAT', 'BYTES', 'STORED', 'BOOTS', 'SIGNED', 'DIGEST'], rows))
  })
}

function show(): Command {
  const command = new Command('show')
    .argument('<image>', 'name or UUID')
    .description('an image, who uses it, and at which sites it is')
  return define(command, ['bloomery image show debian-12'], async ({ client, print }, [ident]) => {
    const [image, { prefetches }] = await Promise.all([client.images.get(ident!), client.images.prefetches(ident!)])
    const at = prefetches.map(
      ({ site, appliance, phase, percent }) => `${site}/${appliance} ${phase} (${percent.toFixed(0)} %)`,
    )
    const rows = [
      ['name', image.name],
      ['uuid', image.uuid],
      ['state', image.state],
      ['bytes', image.size],
      ['stored', image.manifest?.stored_size ?? image.size],
      ['format', image.manifest?.source_format ?? image.disk_format],
      ['boots', image.manifest?.boot_modes.join(' ') ?? ''],
      ['signed by', image.manifest?.key ?? 'nobody'],
      [image.os_hash_algo, image.os_hash_value],
      ['nodes that name it', image.used_by_nodes ?? 0],
      ['kept', image.expires_at ? `until ${image.expires_at}, or as long as a node names it` : 'until it is deleted'],
      ['prefetched', at.join(', ')],
    ]
    print({ ...image, prefetches }, tabular(['FIELD', 'VALUE'], rows))
  })
}

function retain(): Command {
  const command = new Command('retain')
    .argument('<image>', 'name or UUID')
    .description('how long an image is kept; one that a node names is kept in any case')
    .option('--days <n>', 'from now on', whole(36_500))
    .option('--always', 'until it is deleted')
  return define(
    command,
    ['bloomery image retain debian-12 --days 30', 'bloomery image retain debian-12 --always'],
    async ({ client, print }, [ident], { days, always = false }: { days?: number; always?: boolean }) => {
      if ((days === undefined) !== always) throw new UsageError('say either --days or --always')
      const until = days === undefined ? null : new Date(Date.now() + days * 86_400_000).toISOString()
      const image = await client.images.retain(ident!, until)
      print(
        image,
        until === null ? `Image ${ident} is kept until it is deleted.` : `Image ${ident} is kept until ${until}.`,
      )
    },
  )
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
