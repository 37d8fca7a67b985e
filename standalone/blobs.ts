import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdir, open, readFile, readdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import type { Blobs, Clock } from '../lambdas/platform.ts'
import { longestKey, signed } from './blob-signature.ts'
import type { Database } from './database.ts'

export interface BlobOptions {
  dir: string
  database: Database
  clock: Clock
  secret: Uint8Array
  /** Where `blobRoutes` is reached from outside, without a trailing slash. */
  publicUrl: () => string
}

export interface Stored {
  path: string
  size: number
  sha256: string
}

/** The bytes offered are not those announced. */
export class WrongBytesError extends Error {
  override readonly name = 'WrongBytesError'
}

/** Blobs as files. A row in the database names the file that counts, so a blob is replaced at once or not at all. */
export class FileBlobs implements Blobs {
  readonly #options: BlobOptions
  readonly #statements
  #made = 0

  constructor(options: BlobOptions) {
    this.#options = options
    const prepare = (text: string) => options.database.sql.prepare(text)
    this.#statements = {
      get: prepare('SELECT file, size, sha256 FROM blob WHERE key = ?'),
      put: prepare('INSERT OR REPLACE INTO blob (key, file, size, sha256) VALUES (?, ?, ?, ?)'),
      delete: prepare('DELETE FROM blob WHERE key = ?'),
      files: prepare('SELECT file FROM blob'),
    }
  }

  /** Makes the directory and drops files of uploads that a crash cut short. Before any other call. */
  async prepare(): Promise<void> {
    await mkdir(this.#options.dir, { recursive: true, mode: 0o700 })
    const wanted = new Set((this.#statements.files.all() as Array<{ file: string }>).map(({ file }) => file))
    for (const file of await readdir(this.#options.dir))
      if (!wanted.has(file)) await rm(join(this.#options.dir, file), { force: true })
  }

  async put(key: string, bytes: Uint8Array): Promise<void> {
    await this.receive(key, Readable.from([bytes]), undefined)
  }

  async putStream(key: string, bytes: AsyncIterable<Uint8Array>): Promise<void> {
    await this.receive(key, bytes, undefined)
  }

  async get(key: string): Promise<Uint8Array | undefined> {
    const stored = this.find(key)
    return stored && (await readFile(stored.path))
  }

  stream(key: string): Promise<Readable | undefined> {
    const stored = this.find(key)
    return Promise.resolve(stored && createReadStream(stored.path))
  }

  head(key: string): Promise<{ size: number; sha256: string } | undefined> {
    const stored = this.find(key)
    return Promise.resolve(stored && { size: stored.size, sha256: stored.sha256 })
  }

  async delete(key: string): Promise<void> {
    const stored = this.find(key)
    if (!stored) return
    await this.#options.database.commit(() => this.#statements.delete.run(key))
    await rm(stored.path, { force: true })
  }

  signGet(key: string, seconds: number): Promise<string> {
    return Promise.resolve(this.#sign({ method: 'GET', key, expires: this.#after(seconds) }))
  }

  signPut(
    key: string,
    put: { size: number; sha256: string },
    seconds: number,
  ): Promise<{ url: string; headers: Record<string, string> }> {
    const url = this.#sign({ method: 'PUT', key, expires: this.#after(seconds), put })
    return Promise.resolve({ url, headers: { 'content-type': 'application/octet-stream' } })
  }

  find(key: string): Stored | undefined {
    const row = this.#statements.get.get(key) as { file: string; size: number; sha256: string } | undefined
    return row && { path: join(this.#options.dir, row.file), size: row.size, sha256: row.sha256 }
  }

  /** Takes exactly `expected`, else rejects with WrongBytesError and leaves what was there. */
  async receive(
    key: string,
    bytes: AsyncIterable<Uint8Array>,
    expected: { size: number; sha256: string } | undefined,
  ): Promise<void> {
    if (key === '' || key.length > longestKey) throw new RangeError(`a blob's key has 1 to ${longestKey} characters`)
    const { dir, database, clock } = this.#options
    this.#made += 1
    const file = `${createHash('sha256').update(key).digest('hex')}-${clock.now().getTime()}-${process.pid}-${this.#made}`
    const path = join(dir, file)
    try {
      const got = await save(`${path}.part`, bytes, expected?.size)
      if (expected && (got.size !== expected.size || got.sha256 !== expected.sha256))
        throw new WrongBytesError(
          `expected ${expected.size} bytes of sha256 ${expected.sha256}, got ${got.size} of ${got.sha256}`,
        )
      await rename(`${path}.part`, path)
      await syncDirectory(dir)
      const before = await database.commit(() => {
        const old = this.find(key)
        this.#statements.put.run(key, file, got.size, got.sha256)
        return old
      })
      if (before) await rm(before.path, { force: true })
    } catch (error) {
      await rm(`${path}.part`, { force: true })
      throw error
    }
  }

  #after(seconds: number): number {
    return Math.floor(this.#options.clock.now().getTime() / 1000) + seconds
  }

  #sign(grant: Parameters<typeof signed>[1]): string {
    return this.#options.publicUrl() + signed(this.#options.secret, grant)
  }
}

async function save(path: string, bytes: AsyncIterable<Uint8Array>, limit: number | undefined) {
  const file = await open(path, 'wx', 0o600)
  try {
    const hash = createHash('sha256')
    let size = 0
    for await (const chunk of bytes) {
      size += chunk.byteLength
      if (limit !== undefined && size > limit) throw new WrongBytesError(`more than the ${limit} bytes expected`)
      hash.update(chunk)
      await file.writeFile(chunk)
    }
    await file.sync()
    return { size, sha256: hash.digest('hex') }
  } finally {
    await file.close()
  }
}

async function syncDirectory(dir: string): Promise<void> {
  const handle = await open(dir, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
