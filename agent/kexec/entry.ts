import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { inside } from '../files/place.ts'
import { bootFiles } from '../loader/grub-config.ts'
import { bootCandidates } from '../loader/look.ts'
import { type BootEntry, entryOfBls, entryOfGrub } from './menu.ts'

const LARGEST_TEXT = 1024 * 1024
const MOST_ENTRIES = 64
const folders = ['loader/entries', 'boot/loader/entries']

/** What the system in this file system would boot; paths are of this machine. */
export interface FoundEntry {
  kernel: string
  initrds: string[]
  commandLine: string
}

/** By GRUB's menu, else by entries of the Boot Loader Specification, else the newest kernel. Undefined: nothing here boots. */
export async function entryIn(root: string, uuid: string): Promise<FoundEntry | undefined> {
  const files = bootFiles(await bootCandidates(root), uuid)
  const config = files?.config === undefined ? undefined : await textIn(root, files.config)
  const entry =
    (config !== undefined && !/^\s*blscfg/m.test(config) ? entryOfGrub(config) : undefined) ??
    (await blsEntry(root)) ??
    newest(files)
  return entry && found(root, entry)
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

async function found(root: string, { kernel, initrds, commandLine }: BootEntry): Promise<FoundEntry> {
  return {
    kernel: await inside(root, kernel, true),
    initrds: await Promise.all(initrds.map((path) => inside(root, path, true))),
    commandLine,
  }
}
