import { open, readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { inside } from '../files/place.ts'
import { bootFiles } from '../loader/grub-config.ts'
import { bootCandidates } from '../loader/look.ts'
import { type BootEntry, entryOfBls, entryOfGrub } from './menu.ts'
import { commandLineIn, MOST_HEADERS, newestUnified, parseUnified, type Slice } from './unified.ts'

const LARGEST_TEXT = 1024 * 1024
const MOST_ENTRIES = 64
const folders = ['loader/entries', 'boot/loader/entries']

/** A file of this machine, or a part of one. */
export type Piece = { path: string } & Partial<Slice>

/** What says that it boots, from the best witness to the poorest. */
export const witnesses = ['menu', 'unified image', 'kernel'] as const

/** What the system in this file system would boot. */
export interface FoundEntry {
  by: (typeof witnesses)[number]
  kernel: Piece
  initrds: Piece[]
  commandLine: string
}

/** By GRUB's menu, else by entries of the Boot Loader Specification, else the newest unified image, else the newest kernel. Undefined: nothing
 * here boots. */
export async function entryIn(root: string, uuid: string): Promise<FoundEntry | undefined> {
  const files = bootFiles(await bootCandidates(root), uuid)
  const config = files?.config === undefined ? undefined : await textIn(root, files.config)
  const menu =
    (config !== undefined && !/^\s*blscfg/m.test(config) ? entryOfGrub(config) : undefined) ?? (await blsEntry(root))
  if (menu) return found(root, 'menu', menu)
  const kernel = newest(files)
  return (await unifiedEntry(root)) ?? (kernel && found(root, 'kernel', kernel))
}

/** What an EFI system partition has in EFI/Linux. One with add-ons, whose command lines firmware's stub would put behind its own, is left
 * to firmware. */
async function unifiedEntry(root: string): Promise<FoundEntry | undefined> {
  const folder = await inside(root, '/EFI/Linux', true)
  const names = await readdir(folder).catch((): string[] => [])
  const name = newestUnified(names.slice(0, MOST_ENTRIES))
  if (name === undefined || names.includes(`${name}.extra.d`)) return undefined
  const path = await inside(root, join('/EFI/Linux', name), true)
  const file = await open(path, 'r').catch(() => undefined)
  if (!file) return undefined
  try {
    const read = async ({ from, size }: Slice): Promise<Buffer> => {
      const bytes = Buffer.alloc(size)
      const { bytesRead } = await file.read(bytes, 0, size, from)
      return bytes.subarray(0, bytesRead)
    }
    const image = parseUnified(await read({ from: 0, size: MOST_HEADERS }), (await file.stat()).size)
    if (!image || (image.commandLine?.size ?? 0) > LARGEST_TEXT) return undefined
    const commandLine = image.commandLine ? commandLineIn(await read(image.commandLine)) : ''
    if (commandLine === undefined) return undefined
    const piece = (slice: Slice): Piece => ({ path, from: slice.from, size: slice.size })
    return { by: 'unified image', kernel: piece(image.kernel), initrds: image.initrds.map(piece), commandLine }
  } finally {
    await file.close()
  }
}

async function blsEntry(root: string): Promise<BootEntry | undefined> {
  for (const folder of folders) {
    const names = await readdir(await inside(root, `/${folder}`, true)).catch((): string[] => [])
    const files = await Promise.all(
      names
        .slice(0, MOST_ENTRIES)
        .map(async (name) => ({ name, text: (await textIn(root, join('/', folder, name))) ?? '' })),
    )
    const entry = entryOfBls(files)
    if (entry) return entry
  }
  return undefined
}

function newest(files: ReturnType<typeof bootFiles>): BootEntry | undefined {
  if (files?.kernel === undefined) return undefined
  const initrds = files.initrd === undefined ? [] : [files.initrd]
  return { kernel: files.kernel, initrds, commandLine: `root=UUID=${files.uuid} ro` }
}

async function textIn(root: string, path: string): Promise<string | undefined> {
  const at = await inside(root, path, true).catch(() => undefined)
  if (at === undefined) return undefined
  const size = (await stat(at).catch(() => undefined))?.size ?? Number.POSITIVE_INFINITY
  return size <= LARGEST_TEXT ? readFile(at, 'utf8') : undefined
}

async function found(
  root: string,
  by: FoundEntry['by'],
  { kernel, initrds, commandLine }: BootEntry,
): Promise<FoundEntry> {
  const piece = async (path: string): Promise<Piece> => ({ path: await inside(root, path, true) })
  return { by, kernel: await piece(kernel), initrds: await Promise.all(initrds.map(piece)), commandLine }
}
