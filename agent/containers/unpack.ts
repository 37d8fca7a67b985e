import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createReadStream } from 'node:fs'
import { copyFile, mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGunzip, createZstdDecompress } from 'node:zlib'
import type { Container } from '../../contract/container.ts'
import { CommandFailure } from '../failure.ts'
import { findProgram } from '../programs.ts'
import { blobPath, noRoom, wrong } from './layout.ts'

/** Layers one over the other (OCI Image Format Specification, layer.md). What unpacks them is confined to the folder by chroot: links in one
 * layer lead where another writes. */

const OWN = '.bloomery'
const BUSYBOX = `/${OWN}/busybox`
const WHITEOUT = '.wh.'
const OPAQUE = '.wh..wh..opq'
const MOST_NAMES = 64 * 1024 * 1024

export async function unpackLayers({ layers }: Container, layout: string, root: string): Promise<void> {
  await mkdir(join(root, OWN), { recursive: true })
  // One that needs no library.
  await copyFile(await findProgram('busybox'), join(root, BUSYBOX))
  for (const layer of layers) {
    const bytes = (): Readable => unpacked(layer.media_type, blobPath(layout, layer.digest))
    const names = await listed(root, bytes(), layer.digest)
    const hidden = names.filter((name) => basename(name).startsWith(WHITEOUT))
    await hide(root, hidden)
    await within(root, ['tar', '-x', '--numeric-owner', '-f', '-'], bytes()).catch(noRoom)
    await remove(root, hidden)
  }
  await rm(join(root, OWN), { recursive: true })
}

/** By what it is said to be, which its digest vouches for. */
function unpacked(type: string, path: string): Readable {
  const file = createReadStream(path)
  const through = type.endsWith('gzip') ? createGunzip() : type.endsWith('zstd') ? createZstdDecompress() : undefined
  if (!through) return file
  file.on('error', (error) => through.destroy(error))
  return file.pipe(through)
}

async function listed(root: string, bytes: Readable, digest: string): Promise<string[]> {
  const names = (await within(root, ['tar', '-t', '-f', '-'], bytes)).split('\n').filter((name) => name !== '')
  if (names.some((name) => name.split('/').includes('..'))) throw wrong(digest, 'has a path that leads out of it')
  return names.map((name) => name.replace(/^(\.?\/)+/, '').replace(/\/+$/, ''))
}

/** What a layer takes away lies below it: in the layers that are there already. */
async function hide(root: string, whiteouts: readonly string[]): Promise<void> {
  const opaque = whiteouts.filter((name) => basename(name) === OPAQUE).map((name) => folderOf(name))
  const gone = whiteouts
    .filter((name) => basename(name) !== OPAQUE)
    .map((name) => join(folderOf(name), basename(name).slice(WHITEOUT.length)))
  await remove(root, gone)
  const empty = 'for d; do [ ! -d "$d" ] || find "$d" -mindepth 1 -maxdepth 1 -exec rm -rf {} +; done'
  if (opaque.length > 0) await within(root, ['xargs', '-0', BUSYBOX, 'sh', '-c', empty, 'sh'], paths(opaque))
}

async function remove(root: string, names: readonly string[]): Promise<void> {
  if (names.length > 0) await within(root, ['xargs', '-0', BUSYBOX, 'rm', '-rf', '--'], paths(names))
}

const paths = (names: readonly string[]): string => names.map((name) => `./${name}`).join('\0')
const basename = (path: string): string => path.slice(path.lastIndexOf('/') + 1)
const folderOf = (path: string): string => path.slice(0, path.lastIndexOf('/') + 1)

/** Runs one of busybox's programs with the folder as its root; resolves to what it printed. */
async function within(root: string, words: readonly string[], input: Readable | string): Promise<string> {
  const child = spawn(await findProgram('chroot'), [root, BUSYBOX, ...words], {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { PATH: '/nowhere', LC_ALL: 'C' },
  })
  const said: Record<'stdout' | 'stderr', string> = { stdout: '', stderr: '' }
  for (const from of ['stdout', 'stderr'] as const)
    child[from].setEncoding('utf8').on('data', (text: string) => {
      if (said[from].length < MOST_NAMES) said[from] += text
    })
  const ended = once(child, 'close') as Promise<[number | null]>
  // One that ends before it has read all says why itself.
  const fed =
    typeof input === 'string'
      ? Promise.resolve(void child.stdin.on('error', () => {}).end(input))
      : pipeline(input, child.stdin).catch((error: NodeJS.ErrnoException) => error)
  const [code] = await ended
  if (code !== 0)
    throw new CommandFailure(
      'CommandExecutionError',
      `unpacking the container failed: ${said.stderr.trim().slice(-300)}`,
    )
  const failure = await fed
  if (failure && failure.code !== 'EPIPE' && failure.code !== 'ERR_STREAM_PREMATURE_CLOSE')
    throw new CommandFailure('InvalidImage', `a layer of the container can't be unpacked: ${failure.message}`)
  return said.stdout
}
