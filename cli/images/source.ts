import { mkdtemp, open, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, extname, join } from 'node:path'
import { bootModesOf } from '@bloomery/image/boot-modes.ts'
import { formatOf, HEAD_BYTES, type Format } from '@bloomery/image/detect.ts'
import { ImageError } from '@bloomery/image/error.ts'
import { headOf } from '@bloomery/image/head.ts'
import { type Layout, layoutOf } from '@bloomery/image/layout.ts'
import { openQcow2, type Disk } from '@bloomery/image/qcow2.ts'
import { fileAccess } from '@bloomery/image/random-access.ts'
import { openRaw } from '@bloomery/image/raw.ts'
import type { ImageManifest } from '../../contract/images/manifest.ts'
import { UsageError } from '../usage.ts'
import { convert, foreign, type Foreign } from './convert.ts'
import { downloadTo } from './download.ts'
import { unpack, type Wrapper } from './unpack.ts'

/** A disk to push, of whatever file or URL was named. */
export interface Source extends AsyncDisposable {
  /** What the image is called unless somebody says otherwise. */
  name: string
  format: ImageManifest['source_format']
  disk: Disk
  layout: Layout
  bootModes: Array<'bios' | 'uefi'>
}

export type Meter = (what: string, total: number) => (bytes: number) => void

const wrappers = new Set<string>(['gzip', 'xz', 'zstd'])
/** Endings that promise a format. */
const promised: Readonly<Record<string, readonly string[]>> = {
  '.qcow2': ['qcow2'],
  '.vmdk': ['vmdk'],
  '.vhd': ['vhd'],
  '.vhdx': ['vhdx'],
  '.vdi': ['vdi'],
  '.iso': ['iso'],
  '.raw': ['raw', 'iso'],
  '.gz': ['gzip'],
  '.xz': ['xz'],
  '.zst': ['zstd'],
}

export async function openSource(given: string, declared: string | undefined, meter: Meter): Promise<Source> {
  const folder = await mkdtemp(join(process.env['TMPDIR'] ?? tmpdir(), 'bloomery-image-'))
  const clear = (): Promise<void> => rm(folder, { recursive: true, force: true })
  try {
    let path = given
    let name = basename(given)
    if (/^https?:\/\//i.test(given)) {
      name = basename(new URL(given).pathname)
      path = join(folder, 'download')
      await downloadTo(given, path, (total) => meter('downloading', total))
    }
    const { size } = await stat(path).catch((cause: unknown) => {
      throw new UsageError(`cannot read ${given}`, { cause })
    })
    if (size === 0) throw new UsageError(`${given} is empty`)
    let format = await formatOfFile(path)
    refuseLie(name, format)
    if (wrappers.has(format)) {
      const inner = join(folder, 'unpacked')
      await unpack(path, format as Wrapper, inner, meter('unpacking', size))
      name = name.replace(/\.(gz|xz|zst)$/, '')
      path = inner
      format = await formatOfFile(path)
      if (wrappers.has(format)) throw new UsageError(`${given} is packed twice: unpack it first`)
      refuseLie(name, format)
    }
    if (declared !== undefined && declared !== format && !(declared === 'raw' && format === 'iso'))
      throw new UsageError(`${given} begins as ${format}, and is not ${declared}`)
    if (format in foreign) {
      const raw = join(folder, 'converted')
      await convert(path, format as Foreign, raw)
      path = raw
    }
    return { ...(await opened(path, format, clear)), name: name.slice(0, name.length - extname(name).length) || name }
  } catch (cause) {
    await clear()
    if (!(cause instanceof ImageError)) throw cause
    throw new UsageError(`${given} can't be used: ${cause.message}`, { cause })
  }
}

async function opened(path: string, format: Format, clear: () => Promise<void>): Promise<Omit<Source, 'name'>> {
  const file = await open(path, 'r')
  try {
    const access = await fileAccess(file)
    const disk = format === 'qcow2' ? await openQcow2(access) : openRaw(access)
    const readable = format === 'qcow2' ? await headOf(disk) : access
    const layout = await layoutOf(readable)
    return {
      format: format as ImageManifest['source_format'],
      disk,
      layout,
      bootModes: await bootModesOf(readable, layout),
      async [Symbol.asyncDispose]() {
        await file.close()
        await clear()
      },
    }
  } catch (error) {
    await file.close()
    throw error
  }
}

function refuseLie(name: string, format: Format): void {
  const expected = promised[extname(name).toLowerCase()]
  if (expected && !expected.includes(format))
    throw new UsageError(`${name} begins as ${format}, and is not what its name says: rename it if ${format} is right`)
}

async function formatOfFile(path: string): Promise<Format> {
  const file = await open(path, 'r')
  try {
    const { size } = await file.stat()
    const { buffer, bytesRead } = await file.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0)
    const found = formatOf(buffer.subarray(0, bytesRead))
    if (found !== 'raw' || size < 512) return found
    // A VHD of fixed size is a raw disk with a footer behind it.
    const footer = await file.read(Buffer.alloc(8), 0, 8, size - 512)
    return footer.buffer.toString('latin1') === 'conectix' ? 'vhd' : 'raw'
  } finally {
    await file.close()
  }
}
