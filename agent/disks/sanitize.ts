import { z } from 'zod'
import type { Clock } from '../clock.ts'
import { CommandFailure } from '../failure.ts'
import { run } from '../programs.ts'

/** Sanitize (NVM Express Base Specification 2.0, §5.24 and §8.21): a subsystem forgets all that it holds, spare blocks too. It goes on by itself,
 * also after a loss of power; until it is done, and after one that failed, the disk takes and gives no data. */

export type Sanitize = 'cryptographic' | 'block erase'
/** SANACT of the command. */
const action: Record<Sanitize, string> = { 'block erase': '2', cryptographic: '4' }
const EXIT_FAILURE_MODE = '1'

const LIMIT_MS = 4 * 3_600_000
const EVERY_MS = 2000

/** Runs nvme-cli. */
export type NvmeTool = (args: readonly string[], seconds: number) => Promise<Buffer>
export const nvmeTool: NvmeTool = (args, seconds) => run('nvme', args, seconds)

const controller = z.looseObject({ sanicap: z.int() })

/** Identify Controller, SANICAP: bit 0 cryptographic, bit 1 block erase. Of a subsystem with several namespaces more would go than is asked for. */
export function sanitizesOf(identify: unknown, namespaces: number): Sanitize[] {
  const parsed = controller.safeParse(identify)
  if (!parsed.success || namespaces !== 1) return []
  const { sanicap } = parsed.data
  return [...(sanicap & 0x1 ? (['cryptographic'] as const) : []), ...(sanicap & 0x2 ? (['block erase'] as const) : [])]
}

export async function namespacesOf(path: string, tool: NvmeTool): Promise<number> {
  const said = await tool(['list-ns', '--all', path], 60).catch(() => tool(['list-ns', path], 60))
  return said.toString().match(/^\[\s*\d+\]:0x[0-9a-f]+$/gim)?.length ?? 0
}

export interface SanitizeStatus {
  /** From 0 to 1. */
  done: number
  state: 'never' | 'completed' | 'in progress' | 'failed'
}

/** Sanitize Status log page (81h): SPROG in 1/65536, SSTAT bits 2:0. */
export function readSanitizeStatus(page: Buffer): SanitizeStatus {
  if (page.length < 4) throw new RangeError(`a sanitize status log page of ${page.length} bytes`)
  const states = ['never', 'completed', 'in progress', 'failed', 'completed'] as const
  const state = states[page.readUInt16LE(2) & 0x7]
  if (state === undefined) throw new RangeError(`sanitize status ${page.readUInt16LE(2)} is a reserved one`)
  return { done: page.readUInt16LE(0) / 65_536, state }
}

export interface Sanitizing {
  clock: Clock
  tool: NvmeTool
  /** From 0 to 1. */
  progress: (done: number) => void
}

/** Resolves when all is gone. Rejects when the disk fails at it, having been brought back to where it takes data. */
export async function sanitizeNvme(path: string, how: Sanitize, means: Sanitizing): Promise<void> {
  await means.tool(['sanitize', path, `--sanact=${action[how]}`, '--ause'], 120)
  await sanitized(path, means)
}

/** Waits for one that an earlier life of this machine began; before its end nothing else can be done with the disk. */
export async function awaitSanitize(path: string, means: Sanitizing): Promise<void> {
  // A disk without the log page never sanitizes.
  const page = await means.tool(['sanitize-log', '--raw-binary', path], 60).catch(() => undefined)
  if (page === undefined || page.length < 4) return
  const { state } = readSanitizeStatus(page)
  if (state === 'failed') await means.tool(['sanitize', path, `--sanact=${EXIT_FAILURE_MODE}`], 120)
  if (state === 'in progress') await sanitized(path, means)
}

async function sanitized(path: string, { clock, tool, progress }: Sanitizing): Promise<void> {
  const until = clock.now() + LIMIT_MS
  while (clock.now() < until) {
    const { state, done } = readSanitizeStatus(await tool(['sanitize-log', '--raw-binary', path], 60))
    if (state === 'completed') return
    if (state !== 'in progress') {
      await tool(['sanitize', path, `--sanact=${EXIT_FAILURE_MODE}`], 120).catch(() => {})
      throw new CommandFailure('BlockDeviceEraseError', `${path} failed to sanitize itself`)
    }
    progress(done)
    await clock.sleep(EVERY_MS)
  }
  throw new CommandFailure(
    'BlockDeviceEraseError',
    `${path} is still sanitizing itself after ${LIMIT_MS / 3_600_000} h`,
  )
}
