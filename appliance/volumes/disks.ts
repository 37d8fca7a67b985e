import { spawn } from 'node:child_process'
import { mkdirSync, readdirSync, rmSync } from 'node:fs'
import { mkdir, open, readdir, rename, rm, stat, statfs } from 'node:fs/promises'
import { join } from 'node:path'
import { HardwareError } from '../hardware-error.ts'

const GIB = 2 ** 30

/** Volumes as sparse files, each in a folder of its own with its snapshots. What is half made or half deleted has another name, so that a
 * power cut leaves volumes that are whole, and rubbish that the next start sweeps away. */
export interface Disks {
  path(volume: string): string
  /** Bytes; undefined: there is no such volume. */
  size(volume: string): Promise<number | undefined>
  /** Made of nothing, or of what `fill` puts into the new file. */
  make(volume: string, gib: number, fill?: (path: string) => Promise<void>): Promise<void>
  grow(volume: string, gib: number): Promise<void>
  remove(volume: string): Promise<void>
  snapshots(volume: string): Promise<string[]>
  snapshotPath(volume: string, snapshot: string): string
  takeSnapshot(volume: string, snapshot: string, signal: AbortSignal): Promise<void>
  removeSnapshot(volume: string, snapshot: string): Promise<void>
}

const DISK = 'disk'
const PART = '.part'
const GONE = '.gone'

export function openDisks(dir: string): Disks {
  mkdirSync(dir, { recursive: true, mode: 0o700 })
  for (const name of readdirSync(dir)) if (isRubbish(name)) rmSync(join(dir, name), { recursive: true, force: true })
  const of = (volume: string): string => join(dir, volume)
  const path = (volume: string): string => join(of(volume), DISK)
  const snapshotPath = (volume: string, snapshot: string): string => join(of(volume), `snapshot-${snapshot}`)

  return {
    path,
    snapshotPath,
    size: (volume) =>
      stat(path(volume)).then(
        ({ size }) => size,
        () => undefined,
      ),
    async make(volume, gib, fill) {
      const part = of(volume) + PART
      await rm(part, { recursive: true, force: true })
      await mkdir(part, { mode: 0o700 })
      try {
        const file = join(part, DISK)
        await fill?.(file)
        await resize(file, gib)
        await sync(part)
        await rename(part, of(volume))
        await sync(dir)
      } catch (error) {
        await rm(part, { recursive: true, force: true })
        throw error
      }
    },
    grow: (volume, gib) => resize(path(volume), gib),
    async remove(volume) {
      const gone = of(volume) + GONE
      await rename(of(volume), gone).catch(ignoreAbsence)
      await sync(dir)
      await rm(gone, { recursive: true, force: true })
    },
    async snapshots(volume) {
      const names = await readdir(of(volume)).catch(() => [])
      return names.flatMap((name) =>
        name.startsWith('snapshot-') && !isRubbish(name) ? [name.slice('snapshot-'.length)] : [],
      )
    },
    async takeSnapshot(volume, snapshot, signal) {
      const to = snapshotPath(volume, snapshot)
      await copyDisk(path(volume), to + PART, signal)
      await sync(to + PART)
      await rename(to + PART, to)
      await sync(of(volume))
    },
    async removeSnapshot(volume, snapshot) {
      await rm(snapshotPath(volume, snapshot), { force: true })
      await sync(of(volume))
    },
  }
}

const isRubbish = (name: string): boolean => name.endsWith(PART) || name.endsWith(GONE)

/** Never smaller: what a disk has is not cut off. */
async function resize(path: string, gib: number): Promise<void> {
  const file = await open(path, 'a', 0o600)
  try {
    const { size } = await file.stat()
    if (size > gib * GIB)
      throw new HardwareError(`it would have to be at least ${Math.ceil(size / GIB)} GiB for what is to be on it`)
    await file.truncate(gib * GIB)
    await file.sync()
  } finally {
    await file.close()
  }
}

async function sync(path: string): Promise<void> {
  const handle = await open(path, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

function ignoreAbsence(error: NodeJS.ErrnoException): void {
  if (error.code !== 'ENOENT') throw error
}

/** By cp, which shares blocks where the file system can, and keeps holes elsewhere. */
export async function copyDisk(from: string, to: string, signal: AbortSignal): Promise<void> {
  const cp = spawn('cp', ['--reflink=auto', '--sparse=always', '--', from, to], {
    signal,
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let said = ''
  cp.stderr.on('data', (chunk: Buffer) => (said = (said + chunk.toString()).slice(-500)))
  const code = await new Promise<number | null>((resolve, reject) => {
    cp.on('error', reject)
    cp.on('exit', resolve)
  })
  if (code !== 0) throw new HardwareError(`a volume could not be copied: ${said.trim() || `cp ended with ${code}`}`)
}

/** GiB that are free where volumes are. */
export async function freeGib(dir: string): Promise<number> {
  const { bavail, bsize } = await statfs(dir)
  return Math.floor((bavail * bsize) / GIB)
}
