import { open } from 'node:fs/promises'
import type { Clock } from '../clock.ts'
import type { Disk } from '../disks/disk.ts'
import { partsOf } from '../disks/erase.ts'
import { listAllDisks } from '../disks/list.ts'
import { assembleArrays, nameOf } from './mdadm.ts'
import { isIncomplete, parseSuperblock, superblockAt, superblockLength, type Superblock } from './superblock.ts'

/** Seconds that a disk may take longer than others to be found: an array that starts without it would have to be rebuilt. */
const patience = 10

/** All disks with the arrays among them, which are assembled first; again whenever a disk has come. */
export class Arrays {
  readonly #clock: Clock
  #seen = ''

  constructor(clock: Clock) {
    this.#clock = clock
  }

  async all(): Promise<Disk[]> {
    const found = await listAllDisks()
    if (namesOf(found) === this.#seen) return named(found)
    if (found.length > 0) {
      await this.#members()
      await assembleArrays()
    }
    const after = await listAllDisks()
    this.#seen = namesOf(after)
    return named(after)
  }

  /** Those that an image could be written to. */
  async disks(): Promise<Disk[]> {
    return (await this.all()).filter(({ holds }) => holds === undefined)
  }

  async #members(): Promise<void> {
    for (let second = 0; second < patience; second++) {
      if (!isIncomplete(await superblocks(await listAllDisks()))) return
      await this.#clock.sleep(1000)
    }
  }
}

function namesOf(disks: readonly Disk[]): string {
  return disks.map(({ name }) => name).join()
}

async function superblocks(disks: readonly Disk[]): Promise<Superblock[]> {
  const own = disks.filter(({ members }) => members === undefined)
  const parts = await Promise.all(
    own.map(async (disk) => [disk.name, ...(await partsOf(disk, '/sys')).map(({ path }) => path)]),
  )
  const found = await Promise.all(parts.flat().map(superblockOn))
  return found.filter((each) => each !== undefined)
}

async function superblockOn(path: string): Promise<Superblock | undefined> {
  const handle = await open(path).catch(() => undefined)
  try {
    const read = await handle?.read(Buffer.alloc(superblockLength), 0, superblockLength, superblockAt)
    return read && parseSuperblock(read.buffer.subarray(0, read.bytesRead))
  } catch {
    return undefined // A disk that can't be read has no member to wait for.
  } finally {
    await handle?.close()
  }
}

function named(disks: readonly Disk[]): Promise<Disk[]> {
  return Promise.all(
    disks.map(async (disk) =>
      disk.members === undefined ? disk : { ...disk, volume_name: await nameOf(disk.name).catch(() => undefined) },
    ),
  )
}
