import { execFile, execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { constants, existsSync, rmSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { promisify } from 'node:util'

const MiB = 1024 * 1024
const PIECE = 4 * MiB
let made = 0
const attached = new Set<string>()

export interface Loop extends Disposable {
  name: string
  size: number
}

/** A disk that was in use before, on the disk of this machine; its reads and writes go past the page cache, as those of a disk do. */
export async function usedDisk(file: string, mebibytes: number): Promise<Loop> {
  await fill(file, mebibytes)
  // A number of its own each time: the first free one is everybody else's too.
  made += 1
  const number = 100 + (process.pid % 1000) * 100 + made
  const name = `/dev/loop${number}`
  if (!existsSync(name)) await tool('mknod', '-m', '600', name, 'b', '7', String(number))
  await tool('losetup', '--direct-io=on', '--partscan', name, file)
  attached.add(name)
  return { name, size: mebibytes * MiB, [Symbol.dispose]: () => detach(name) }
}

/** Also of a run that is cut. */
export function detachAll(): void {
  for (const name of attached) detach(name)
}

function detach(name: string): void {
  attached.delete(name)
  execFileSync('losetup', ['--detach', name])
  rmSync(name, { force: true })
}

async function fill(path: string, mebibytes: number): Promise<void> {
  // O_DIRECT wants aligned memory, which that of a buffer that may be resized is.
  const old = Buffer.from(new ArrayBuffer(PIECE, { maxByteLength: PIECE }))
  randomBytes(PIECE).copy(old)
  const file = await open(path, constants.O_CREAT | constants.O_WRONLY | constants.O_DIRECT)
  for (let at = 0; at < mebibytes * MiB; at += PIECE) await file.write(old, 0, PIECE, at)
  await file.sync()
  await file.close()
}

export async function tool(program: string, ...args: string[]): Promise<string> {
  return (await promisify(execFile)(program, args, { timeout: 600_000 })).stdout
}
