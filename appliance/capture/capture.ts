import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { open } from 'node:fs/promises'
import { captureFilter } from './filter.ts'

export interface CaptureOptions {
  interface: string
  mac: string
  /** Of the machine, where a relay hides its MAC. */
  address?: string
  seconds: number
  packets: number
  /** A new file: what is there already stays. */
  out: string
  signal?: AbortSignal
}

export interface Captured {
  packets: number
  bytes: number
  ended: 'enough packets' | 'time is up' | 'enough bytes' | 'stopped'
}

const MOST_BYTES = 256 * 1_048_576
const STOP_MS = 3_000
/** Of the file, then of each packet: pcap-savefile(5). */
const FILE_HEADER = 24

/**
 * One machine's frames into a pcap file, by Debian's tcpdump: frames need a raw socket, which Node has not. Bounded in time, packets and
 * bytes.
 */
export async function capture(options: CaptureOptions): Promise<Captured> {
  const { mac, address, seconds, packets, out, signal } = options
  const filter = captureFilter(mac, address)
  const file = await open(out, 'wx', 0o600)
  try {
    const argv = [
      '-i',
      options.interface,
      '-n',
      '-U',
      '--immediate-mode',
      '-s',
      '0',
      '-c',
      `${packets}`,
      '-w',
      '-',
      filter,
    ]
    const child = spawn('tcpdump', argv, { stdio: ['ignore', 'pipe', 'pipe'] })
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
    let bytes = 0
    try {
      for await (const chunk of child.stdout as AsyncIterable<Buffer>) {
        if (bytes + chunk.length > MOST_BYTES) {
          stop('enough bytes')
          break
        }
        await file.write(chunk)
        bytes += chunk.length
      }
      const [code] = (await gone) as [number | null]
      if (bytes < FILE_HEADER) throw new Error(`tcpdump captured nothing (exit ${code}): ${said.trim()}`)
    } finally {
      clearTimeout(time)
      signal?.removeEventListener('abort', onAbort)
    }
    return { packets: Number(/^(\d+) packets? captured/m.exec(said)?.[1] ?? 0), bytes, ended }
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
