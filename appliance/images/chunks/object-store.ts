import { mkdirSync } from 'node:fs'
import { mkdir, open, readdir, rename, rm, stat, utimes } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { wholeFile } from './whole-file.ts'

/** Small objects on the site's disk, each under the digest of what it holds. One is written beside, synced and renamed, and checked when it is
 * first read in this life of the program: so neither a power cut nor a disk that lies nor a full one gives wrong bytes. */
export interface ObjectStore {
  /** In memory of the caller's own. Undefined: it isn't here, or it was rotten and is gone. */
  get(name: string): Promise<Buffer | undefined>
  has(name: string): Promise<boolean>
  /** False: there is no room. `bytes` have been checked. */
  put(name: string, bytes: Buffer): Promise<boolean>
  /** Somebody got wrong bytes of it: the next read checks it again. */
  doubt(name: string): Promise<void>
  /** Used just now: it is among the last to go. */
  touch(names: Iterable<string>): Promise<void>
  /** These are not evicted until they are let go as often as they were held. */
  hold(names: Iterable<string>): void
  letGo(names: Iterable<string>): void
  /** Lets go until what is left, and `more` bytes of others, are within the quota. */
  fit(more: number): Promise<void>
}

export interface ObjectStoreParts {
  dir: string
  /** Bytes that all may take together, as things stand. */
  quota(): Promise<number>
  /** Whether these are the bytes of that name. */
  check(name: string, bytes: Buffer): Promise<boolean>
  now(): number
}

interface Entry {
  size: number
  used: number
  checked: boolean
}

const NAME = /^[a-z]+-[0-9a-f]{64}$/

export function openObjectStore({ dir, quota, check, now }: ObjectStoreParts): ObjectStore {
  mkdirSync(dir, { recursive: true, mode: 0o700 })
  const held = new Map<string, number>()
  let total = 0
  let made = 0
  const loading = load()
  const pathOf = (name: string): string => join(dir, name.slice(-2), name)

  async function load(): Promise<Map<string, Entry>> {
    const entries = new Map<string, Entry>()
    for (const folder of await readdir(dir).catch(() => [] as string[]))
      for (const name of await readdir(join(dir, folder)).catch(() => [] as string[])) {
        const path = join(dir, folder, name)
        const facts = NAME.test(name) ? await stat(path).catch(() => undefined) : undefined
        // What a power cut left half-written.
        if (!facts) await rm(path, { force: true })
        else entries.set(name, { size: facts.size, used: facts.mtimeMs, checked: false })
        total += facts?.size ?? 0
      }
    return entries
  }

  async function drop(entries: Map<string, Entry>, name: string): Promise<void> {
    const entry = entries.get(name)
    if (!entry) return
    entries.delete(name)
    total -= entry.size
    await rm(pathOf(name), { force: true })
  }

  /** Lets those go that were used longest ago until `size` more bytes fit. */
  async function makeRoom(entries: Map<string, Entry>, size: number, limit: number): Promise<boolean> {
    if (total + size <= limit) return true
    const idle = [...entries].filter(([name]) => !held.has(name)).sort(([, a], [, b]) => a.used - b.used)
    for (const [name] of idle) {
      if (total + size <= limit) break
      await drop(entries, name)
    }
    return total + size <= limit
  }

  async function write(name: string, bytes: Buffer): Promise<void> {
    const path = pathOf(name)
    made += 1
    const part = `${path}.${process.pid}.${made}.part`
    await mkdir(dirname(path), { recursive: true, mode: 0o700 })
    try {
      const file = await open(part, 'wx', 0o600)
      try {
        await file.writeFile(bytes)
        await file.datasync()
      } finally {
        await file.close()
      }
      await rename(part, path)
    } catch (error) {
      await rm(part, { force: true })
      throw error
    }
  }

  return {
    async get(name) {
      const entries = await loading
      const entry = entries.get(name)
      if (!entry) return undefined
      const bytes = await wholeFile(pathOf(name), entry).catch(() => undefined)
      if (bytes && (entry.checked || (await check(name, bytes)))) {
        Object.assign(entry, { checked: true, used: now() })
        return bytes
      }
      await drop(entries, name)
      return undefined
    },
    has: async (name) => (await loading).has(name),
    async put(name, bytes) {
      const entries = await loading
      if (entries.has(name)) return true
      for (const limit of [await quota(), total / 2]) {
        if (!(await makeRoom(entries, bytes.length, limit))) return false
        try {
          await write(name, bytes)
        } catch (error) {
          // The disk is full of something else: half of what is here makes room, once.
          if (!isFull(error)) throw error
          continue
        }
        if (!entries.has(name)) total += bytes.length
        entries.set(name, { size: bytes.length, used: now(), checked: true })
        return true
      }
      return false
    },
    async doubt(name) {
      const entry = (await loading).get(name)
      if (entry) entry.checked = false
    },
    async touch(names) {
      const entries = await loading
      const at = new Date(now())
      for (const name of names) {
        const entry = entries.get(name)
        if (!entry) continue
        entry.used = at.getTime()
        // The file's own time is what the next life of this program goes by.
        await utimes(pathOf(name), at, at).catch(() => {})
      }
    },
    hold(names) {
      for (const name of names) held.set(name, (held.get(name) ?? 0) + 1)
    },
    letGo(names) {
      for (const name of names) {
        const left = (held.get(name) ?? 1) - 1
        if (left > 0) held.set(name, left)
        else held.delete(name)
      }
    },
    async fit(more) {
      const entries = await loading
      await makeRoom(entries, more, await quota())
    },
  }
}

function isFull(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException
  return code === 'ENOSPC' || code === 'EDQUOT'
}
