import { chmod, chown, lstat, mkdtemp, readdir, readFile, rm, rmdir, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import type { Disk } from '../disks/disk.ts'
import { CommandFailure } from '../failure.ts'
import { ask, type Trust } from '../http.ts'
import { type Log, withoutSecrets } from '../log.ts'
import { run } from '../programs.ts'
import { inside, makeFolders } from './place.ts'
import { decodeBase64, type WantedFile } from './wanted.ts'

const LARGEST = 64 * 1024 * 1024
const MOUNTED = /^(ext[234]|xfs|btrfs|vfat)$/

export interface Injecting {
  trust: Trust
  seconds: number
  log: Log
}

/** Puts files into the system on a disk, or takes them out of it. */
export async function injectFiles(files: readonly WantedFile[], disk: Disk, means: Injecting): Promise<string> {
  for (const file of files) {
    const content = file.deleted ? undefined : await contentOf(file, means)
    const from = await partitionFor(file, disk)
    await onMounted(from, 'rw', (root) => place(file, content, root))
    means.log.info(file.deleted ? 'file removed' : 'file injected', { path: file.path, partition: from })
  }
  return `${files.length} files`
}

async function contentOf({ path, content }: WantedFile, { trust, seconds }: Injecting): Promise<Buffer> {
  const given = content ?? ''
  if (!/^https?:\/\//.test(given)) {
    const decoded = decodeBase64(given)
    if (decoded) return decoded
    throw wrong(`${path}: its content is neither base64 nor a URL`)
  }
  const answer = await ask(trust, { url: given, seconds }, LARGEST)
  if (answer.status !== 200) throw wrong(`${path}: ${withoutSecrets(given)} was answered ${answer.status}`)
  return answer.body
}

/** By number, device or UUID; else the first that has the first folder of the path. */
async function partitionFor({ path, partition }: WantedFile, disk: Disk): Promise<string> {
  const all = await partitionsOf(disk.name)
  if (partition !== undefined && partition !== null) {
    const named = String(partition).toLowerCase()
    const found = all.find(
      ({ device, number, uuid, partuuid }) =>
        named === String(number) || named === device || named === uuid || named === partuuid,
    )
    if (found) return found.device
    throw wrong(`${path}: ${disk.name} has no partition ${partition}; it has ${list(all)}`)
  }
  const [first = '', ...others] = path.split('/').filter((part) => part !== '')
  if (others.length === 0) throw wrong(`${path}: say which partition it belongs on, for it is in no folder`)
  for (const { device } of all.filter(({ type }) => MOUNTED.test(type)))
    // One that is damaged is not the one.
    if (await onMounted(device, 'ro', (root) => isFolder(root, first)).catch(() => false)) return device
  throw wrong(`${path}: no partition of ${disk.name} has a folder /${first}; it has ${list(all)}`)
}

async function isFolder(root: string, name: string): Promise<boolean> {
  const at = await inside(root, `/${name}`, true)
  return (await stat(at).catch(() => undefined))?.isDirectory() === true
}

interface Partition {
  device: string
  number: number
  type: string
  uuid: string
  partuuid: string
}

async function partitionsOf(disk: string): Promise<Partition[]> {
  const folder = join('/sys/class/block', basename(disk))
  const found = await Promise.all((await readdir(folder)).map((name) => describe(join(folder, name), name)))
  return found.filter((each) => each !== undefined).toSorted((a, b) => a.number - b.number)
}

/** Of the folders below a disk, those with a number are its partitions (Documentation/ABI/stable/sysfs-block). */
async function describe(folder: string, name: string): Promise<Partition | undefined> {
  const number = Number(await readFile(join(folder, 'partition'), 'utf8').catch(() => NaN))
  if (!Number.isInteger(number)) return undefined
  const device = join('/dev', name)
  // It ends with an error where it recognises nothing.
  const told = await run('blkid', ['-p', '-o', 'export', device], 60).catch(() => Buffer.alloc(0))
  const of = (key: string): string =>
    new RegExp(`^${key}=(.*)$`, 'm').exec(told.toString('utf8'))?.[1]?.toLowerCase() ?? ''
  return { device, number, type: of('TYPE'), uuid: of('UUID'), partuuid: of('PART_ENTRY_UUID') }
}

async function onMounted<T>(device: string, how: 'ro' | 'rw', work: (root: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'system-'))
  try {
    const type = (await run('blkid', ['-p', '-o', 'value', '-s', 'TYPE', device], 60)).toString('utf8').trim()
    if (!MOUNTED.test(type)) throw wrong(`${device} holds ${type || 'no file system'}, which can't be mounted here`)
    await run('mount', ['-t', type, '-o', `${how},nosuid,nodev,noexec`, device, folder], 120)
    try {
      return await work(folder)
    } finally {
      await run('umount', [folder], 120)
    }
  } finally {
    await rmdir(folder)
  }
}

async function place(file: WantedFile, content: Buffer | undefined, root: string): Promise<void> {
  const { path, mode, dirmode, owner, group } = file
  if (content === undefined) {
    await rm(await inside(root, path), { recursive: true, force: true })
    return
  }
  const folder = await makeFolders(root, dirname(path), dirmode ?? 0o755)
  const at = join(folder, basename(path))
  // A link there is replaced by the file, not followed.
  if ((await lstat(at).catch(() => undefined))?.isSymbolicLink()) await rm(at)
  await writeFile(at, content, { flush: true })
  await chmod(at, mode ?? 0o644)
  if (owner === undefined && group === undefined) return
  await chown(at, await idOf(root, 'passwd', owner), await idOf(root, 'group', group))
}

/** Names mean what the system itself says that they mean. */
async function idOf(root: string, table: 'passwd' | 'group', who: string | number | null | undefined): Promise<number> {
  if (who === undefined || who === null) return 0
  if (typeof who === 'number' || /^\d+$/.test(who)) return Number(who)
  const lines = (await readFile(await inside(root, `/etc/${table}`, true), 'utf8').catch(() => '')).split('\n')
  const id = lines.map((line) => line.split(':')).find(([name]) => name === who)?.[2]
  if (id !== undefined && /^\d+$/.test(id)) return Number(id)
  throw wrong(`the system has no ${table === 'passwd' ? 'user' : 'group'} ${who}`)
}

function list(partitions: readonly Partition[]): string {
  return partitions.map(({ device, type }) => `${device} (${type || 'no file system'})`).join(', ') || 'none'
}

function wrong(why: string): CommandFailure {
  return new CommandFailure('InjectFilesError', why)
}
