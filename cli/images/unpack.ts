import { spawn } from 'node:child_process'
import { createReadStream } from 'node:fs'
import { open, rm, type FileHandle } from 'node:fs/promises'
import type { Readable } from 'node:stream'
import { createGunzip, createZstdDecompress } from 'node:zlib'
import { isZero } from '@bloomery/image/chunks.ts'
import { UsageError } from '../usage.ts'

const BLOCK = 1024 * 1024
/** What a wrapper may hold at most: a bomb ends here. */
const LARGEST = 16 * 1024 ** 4

export type Wrapper = 'gzip' | 'xz' | 'zstd'

/** Unpacks into a file that has holes where there are zeros. */
export async function unpack(
  from: string,
  wrapper: Wrapper,
  to: string,
  passed: (bytes: number) => void,
): Promise<void> {
  const file = await open(to, 'wx', 0o600)
  try {
    const { stream, ended } = opened(from, wrapper, passed)
    let size = 0
    for await (const chunk of stream) {
      const bytes = chunk as Buffer
      if (size + bytes.length > LARGEST) throw new UsageError(`${from} holds more than 16 TiB`)
      await place(file, bytes, size)
      size += bytes.length
    }
    await ended
    await file.truncate(size)
  } catch (cause) {
    await rm(to, { force: true })
    if ((cause as NodeJS.ErrnoException).code === 'ENOSPC')
      throw new UsageError(`there is no room to unpack ${from}: name another folder with TMPDIR`, { cause })
    if (cause instanceof UsageError) throw cause
    throw new UsageError(`${from} can't be unpacked as ${wrapper}: it is damaged or cut off`, { cause })
  } finally {
    await file.close()
  }
}

async function place(file: FileHandle, bytes: Buffer, position: number): Promise<void> {
  if (isZero(bytes)) return
  for (let done = 0; done < bytes.length;)
    done += (await file.write(bytes, done, bytes.length - done, position + done)).bytesWritten
}

function opened(
  from: string,
  wrapper: Wrapper,
  passed: (bytes: number) => void,
): { stream: Readable; ended: Promise<void> } {
  const source = createReadStream(from, { highWaterMark: BLOCK })
  source.on('data', (chunk) => passed(chunk.length))
  if (wrapper !== 'xz') {
    const unpacking =
      wrapper === 'gzip' ? createGunzip({ chunkSize: BLOCK }) : createZstdDecompress({ chunkSize: BLOCK })
    source.on('error', (error) => unpacking.destroy(error))
    return { stream: source.pipe(unpacking), ended: Promise.resolve() }
  }
  const child = spawn('xz', ['--decompress', '--stdout', '--memlimit=512MiB'], { stdio: ['pipe', 'pipe', 'pipe'] })
  const said: string[] = []
  child.stderr.on('data', (text: Buffer) => said.length < 10 && said.push(text.toString('utf8').slice(0, 500)))
  // A program that ends before it has read all says why itself.
  child.stdin.on('error', () => {})
  source.pipe(child.stdin)
  const ended = new Promise<void>((resolve, reject) => {
    child.once('error', (cause: NodeJS.ErrnoException) =>
      reject(
        cause.code === 'ENOENT'
          ? new UsageError('the program xz is missing: install xz-utils, or unpack the image yourself', { cause })
          : cause,
      ),
    )
    child.once('close', (code) =>
      code === 0 ? resolve() : reject(new Error(`xz: exit code ${code} ${said.join('')}`)),
    )
  })
  ended.catch((error: unknown) => child.stdout.destroy(error as Error))
  return { stream: child.stdout, ended }
}
