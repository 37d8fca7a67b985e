import { type FileHandle, mkdir, open, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Piece } from './entry.ts'

/** In memory. */
const PLACE = '/run/kexec'
const AT_ONCE = 1024 * 1024

/** The kernel takes whole files: parts of one, and initrds one behind the other as boot loaders give them to it, are made into such. */
export interface OpenPieces extends AsyncDisposable {
  kernel: number
  /** -1: there is none. */
  initrd: number
}

export async function openPieces(kernel: Piece, initrds: readonly Piece[], place = PLACE): Promise<OpenPieces> {
  const handles: FileHandle[] = []
  const opened = async (name: string, pieces: readonly Piece[]): Promise<number> => {
    const [first] = pieces
    if (first === undefined) return -1
    const whole = pieces.length === 1 && first.from === undefined
    const handle = await open(whole ? first.path : await joined(join(place, name), pieces), 'r')
    handles.push(handle)
    return handle.fd
  }
  const dispose = async (): Promise<void> => {
    for (const handle of handles) await handle.close()
    await rm(place, { recursive: true, force: true })
  }
  try {
    await mkdir(place, { recursive: true })
    return {
      kernel: await opened('kernel', [kernel]),
      initrd: await opened('initrd', initrds),
      [Symbol.asyncDispose]: dispose,
    }
  } catch (error) {
    await dispose()
    throw error
  }
}

async function joined(path: string, pieces: readonly Piece[]): Promise<string> {
  await using into = await open(path, 'w')
  for (const piece of pieces) {
    await using file = await open(piece.path, 'r')
    const { from = 0, size = (await file.stat()).size } = piece
    const bytes = Buffer.alloc(Math.min(AT_ONCE, size))
    for (let done = 0; done < size;) {
      const { bytesRead } = await file.read(bytes, 0, Math.min(bytes.length, size - done), from + done)
      if (bytesRead === 0) throw new Error(`${piece.path} ended ${size - done} bytes too early`)
      await into.writeFile(bytes.subarray(0, bytesRead))
      done += bytesRead
    }
  }
  return path
}
