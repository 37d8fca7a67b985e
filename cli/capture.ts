import { createHash } from 'node:crypto'
import { open, rm, type FileHandle } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { Command } from 'commander'
import { CAPTURE_BYTES, type CaptureView, isOver } from '../contract/capture.ts'
import type { Client } from '../contract/api/client.ts'
import { define } from './context.ts'
import { OutcomeError, UsageError } from './usage.ts'
import { whole } from './values.ts'

const EVERY_MS = 1_000
const DOWNLOAD_MS = 300_000

interface Capturing {
  output: string
  seconds: number
  packets: number
  interface?: string
}

/** What a node sends and is sent, recorded at its site: for boots that don't come as far as they should. */
export function captureCommand(): Command {
  const command = new Command('capture')
    .argument('<node>', 'name or UUID')
    .description('what a node sends and is sent on its way through a boot, as a pcap file, from its site')
    .requiredOption('--output <file>', 'a new file, for Wireshark or tshark')
    .option('--seconds <n>', 'at most', whole(600), 60)
    .option('--packets <n>', 'at most', whole(100_000), 10_000)
    .option('--interface <name>', 'of the appliance, where machines are on several')
  return define(
    command,
    ['bloomery node capture n1 --seconds 120 --output n1.pcap'],
    async ({ client, print, json }, [ident], { output, ...request }: Capturing) => {
      const file = await open(output, 'wx', 0o600).catch((cause: NodeJS.ErrnoException) => {
        const why = cause.code === 'EEXIST' ? 'exists: nothing is written over' : 'can’t be written'
        throw new UsageError(`${output} ${why}`, { cause })
      })
      try {
        const asked = await client.nodes.capture(ident!, request)
        const made = await ended(client, ident!, asked, json ? () => undefined : tell)
        await download(made, file)
        const { packets, bytes, note } = made
        print({ ...made, file: output }, `${packets} packets (${bytes} bytes) of ${ident} in ${output}: ${note}`)
      } catch (error) {
        await rm(output, { force: true })
        throw error
      } finally {
        await file.close()
      }
    },
  )
}

const words: Record<CaptureView['phase'], string> = {
  asked: 'asked for',
  running: 'running',
  captured: 'uploading',
  done: 'done',
  failed: 'failed',
}

function tell({ phase, packets, bytes }: CaptureView): void {
  process.stderr.write(`capture ${words[phase]}: ${packets} packets, ${bytes} bytes\n`)
}

/** Until the site is done; the cloud itself gives up on it at its deadline. */
async function ended(
  client: Client,
  ident: string,
  asked: CaptureView,
  show: (capture: CaptureView) => void,
): Promise<CaptureView> {
  let last = asked
  show(last)
  while (!isOver(last.phase)) {
    await sleep(EVERY_MS)
    const now = await client.nodes.captured(ident)
    if (now.uuid !== asked.uuid) throw new OutcomeError(`another capture of ${ident} was begun, and this one is gone`)
    if (now.phase !== last.phase || now.packets !== last.packets) show(now)
    last = now
  }
  if (last.phase === 'failed') throw new OutcomeError(`the capture of ${ident} failed: ${last.note}`)
  return last
}

async function download({ url, bytes, sha256 }: CaptureView, file: FileHandle): Promise<void> {
  const reply = await fetch(url ?? '', { signal: AbortSignal.timeout(DOWNLOAD_MS) })
  if (!reply.ok || reply.body === null) throw new OutcomeError(`the capture can't be fetched: HTTP ${reply.status}`)
  const hash = createHash('sha256')
  let have = 0
  for await (const chunk of reply.body) {
    have += chunk.length
    if (have > Math.min(bytes, CAPTURE_BYTES)) break
    hash.update(chunk)
    await file.write(chunk)
  }
  if (have !== bytes || hash.digest('hex') !== sha256)
    throw new OutcomeError(`the capture that was fetched is not the one that was made (${have} of ${bytes} bytes)`)
}
