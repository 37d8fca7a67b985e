import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { open } from 'node:fs/promises'
import { captureFilter } from './filter.ts'
import { PcapFrames } from './pcap-frames.ts'

export interface CaptureOptions {
  interface: string
  macs: readonly string[]
  /** Of the machine, where a relay hides its cards. */
  addresses?: readonly string[]
  seconds: number
  packets: number
  /** The most that the file may have. */
  bytes?: number
  /** A new file: what is there already stays. */
  out: string
  signal?: AbortSignal
  /** Called as packets come in. */
  onProgress?: (packets: number, bytes: number) => void
}

export interface Captured {
  packets: number
  bytes: number
  ended: 'enough packets' | 'time is up' | 'enough bytes' | 'stopped'
}

const MOST_BYTES = 256 * 1_048_576
const STOP_MS = 3_000

/**
 * One machine's frames into a pcap file, by Debian's tcpdump: frames need a raw socket, which Node has not. Bounded in time, packets and
 * bytes.
 */
export async function capture(options: CaptureOptions): Promise<Captured> {
  const { macs, addresses, seconds, packets, bytes: most = MOST_BYTES, out, signal, onProgress } = options
  const filter = captureFilter(macs, addresses)
  const file = await open(out, 'wx', 0o600)
  try {
    const argv = ['-i', options.interface, '-n', '-U', '--immediate-mode', '-s', '0', '-c', `${packets}`, '-w', '-']
    const child = spawn('tcpdump', [...argv, filter], { stdio: ['ignore', 'pipe', 'pipe'] })
    const gone = once(child, 'close')
    let said = ''
    child.stderr.on('data', (chunk: Buffer) => (said = (said + chunk.toString()).slice(-2_000)))
    let ended: Captured['ended'] = 'enough packets'
    const stop = (why: Captured['ended']): void => {
      ended = why
      child.kill('SIGTERM')
      setTimeout(() => child.kill('SIGKILL'), STOP_MS).unref()
    }
    const time = setTimeout(() => stop('time is up'), seconds * 1_000)
    const onAbort = (): void => stop('stopped')
    signal?.addEventListener('abort', onAbort, { once: true })
    const frames = new PcapFrames()
    let bytes = 0
    try {
      for await (const chunk of child.stdout as AsyncIterable<Buffer>) {
        const part = chunk.subarray(0, most - bytes)
        await file.write(part)
        frames.feed(part)
        bytes += part.length
        onProgress?.(frames.packets, bytes)
        if (part.length < chunk.length) {
          stop('enough bytes')
          break
        }
      }
      const [code] = (await gone) as [number | null]
      if (frames.whole === 0) throw new Error(`tcpdump captured nothing (exit ${code}): ${said.trim()}`)
      await file.truncate(frames.whole)
    } finally {
      clearTimeout(time)
      signal?.removeEventListener('abort', onAbort)
    }
    return { packets: frames.packets, bytes: frames.whole, ended }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT')
      throw new Error("captures are made by tcpdump, which is not installed: install Debian's package tcpdump", {
        cause: error,
      })
    throw error
  } finally {
    await file.close()
  }
}
