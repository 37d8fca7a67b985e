import { createReadStream } from 'node:fs'
import { open, stat } from 'node:fs/promises'
import type { ServerResponse } from 'node:http'
import { finished, pipeline } from 'node:stream/promises'
import { duplicate, filePump } from './file-pumps.ts'

/** Twice the rate of Node's default of 64 KiB, and enough for 10 GbE with one core. */
const CHUNK = 512 * 1_024
/** Below this a thread is no gain. */
const WORTH_PUMPING = 1_048_576

export interface ByteRange {
  first: number
  last: number
}

/** RFC 9110 §14: undefined is the whole file (no range, or one we may ignore); 'unsatisfiable' is a 416. */
export function byteRange(header: string | undefined, size: number): ByteRange | 'unsatisfiable' | undefined {
  const found = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header ?? '')
  const [, from = '', to = ''] = found ?? []
  if (found === null || (from === '' && to === '')) return undefined
  if (from === '') {
    const suffix = Math.min(Number(to), size)
    return suffix === 0 ? 'unsatisfiable' : { first: size - suffix, last: size - 1 }
  }
  const first = Number(from)
  if (to !== '' && Number(to) < first) return undefined // not a range at all, so it is ignored: §14.1.1
  const last = to === '' ? size - 1 : Math.min(Number(to), size - 1)
  return first > last ? 'unsatisfiable' : { first, last }
}

/** What If-Range names is none of ours, as we give no validators: then the whole is wanted (RFC 9110 §13.1.5). */
export function askedRange(request: { header(name: string): string | undefined }): string | undefined {
  return request.header('if-range') === undefined ? request.header('range') : undefined
}

export interface FileAnswer {
  status: 200 | 206 | 416
  headers: Record<string, string>
  /** What the body is; absent with 416. */
  range?: ByteRange
}

export async function answerFile(path: string, rangeHeader: string | undefined): Promise<FileAnswer> {
  const { size } = await stat(path)
  const range = byteRange(rangeHeader, size)
  if (range === 'unsatisfiable') return { status: 416, headers: { 'content-range': `bytes */${size}` } }
  const { first, last } = range ?? { first: 0, last: size - 1 }
  const headers = {
    'content-type': 'application/octet-stream',
    'content-length': String(last - first + 1),
    'accept-ranges': 'bytes',
  }
  if (range === undefined) return { status: 200, headers, range: { first, last } }
  return { status: 206, headers: { ...headers, 'content-range': `bytes ${first}-${last}/${size}` }, range }
}

/** Says how much of the file went out, when it did or when the client hung up. */
export async function sendFile(
  reply: ServerResponse,
  path: string,
  { status, headers, range }: FileAnswer & { range: ByteRange },
  sent: (bytes: number, size: number) => void,
): Promise<void> {
  const size = range.last - range.first + 1
  const pump = size < WORTH_PUMPING ? undefined : await filePump()
  reply.writeHead(status, headers)
  if (pump !== undefined && (await pumped(pump, reply, path, range, (bytes) => sent(bytes, size)))) return
  const stream = createReadStream(path, { start: range.first, end: range.last, highWaterMark: CHUNK })
  try {
    await pipeline(stream, reply)
  } finally {
    sent(stream.bytesRead, size)
  }
}

/** False where this connection can't be pumped into, and nothing but the header was sent. */
async function pumped(
  pump: NonNullable<Awaited<ReturnType<typeof filePump>>>,
  reply: ServerResponse,
  path: string,
  { first, last }: ByteRange,
  sent: (bytes: number) => void,
): Promise<boolean> {
  const { socket } = reply
  if (socket === null || socket.destroyed) throw new Error('the client hung up')
  const length = last - first + 1
  const file = await open(path)
  const hungUp = new AbortController()
  const abort = (): void => hungUp.abort()
  const { timeout = 0 } = socket
  socket.once('close', abort)
  try {
    reply.flushHeaders()
    await new Promise<void>((resolve) => socket.write('', () => resolve())) // the header is with the kernel
    const copy = duplicate(socket)
    if (copy === undefined) return false
    socket.setTimeout(0) // the pump has its own, as Node sees nothing of what it sends
    const end = await pump.carryOut({ socket: copy, file: file.fd, offset: first, length }, hungUp.signal)
    sent(end.sent)
    if (end.because !== undefined) throw new Error(end.because)
    await finished(reply.end())
    return true
  } finally {
    socket.setTimeout(timeout)
    socket.off('close', abort)
    await file.close()
  }
}
