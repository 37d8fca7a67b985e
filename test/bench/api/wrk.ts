import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)
const SCRIPT = join(import.meta.dirname, 'requests.lua')
const MORE_MS = 60_000

export const kinds = ['GET one', 'list of 100', 'PATCH', 'POST'] as const
export type Kind = (typeof kinds)[number]

export interface Rate {
  /** Answered with success, a second. */
  perSecond: number
  /** Milliseconds. */
  p50: number
  p99: number
  /** The share that was refused, such as nodes that are locked. */
  refused: number
}

/** The load: wrk costs the processors little, and is the same for everybody. `uuids` is a file of them, one a line. */
export async function rate(
  endpoint: string,
  kind: Kind,
  connections: number,
  seconds: number,
  uuids: string,
): Promise<Rate> {
  const flags = ['--threads', '1', '--connections', String(connections), '--timeout', '30s']
  const args = [...flags, '--duration', `${seconds}s`, '--script', SCRIPT, endpoint, '--', kind, uuids]
  const { stdout } = await run('wrk', args, { timeout: seconds * 1000 + MORE_MS })
  const told = JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as Record<
    'requests' | 'microseconds' | 'refused' | 'broken' | 'p50' | 'p99',
    number
  >
  if (told.requests === 0) return { perSecond: 0, p50: Number.NaN, p99: Number.NaN, refused: 0 }
  return {
    perSecond: ((told.requests - told.refused) / told.microseconds) * 1e6,
    p50: told.p50 / 1000,
    p99: told.p99 / 1000,
    refused: told.refused / told.requests,
  }
}
