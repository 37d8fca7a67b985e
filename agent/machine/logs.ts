import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Disk } from '../disks/disk.ts'
import { reason, type Log } from '../log.ts'
import { run } from '../programs.ts'

/** Of a kernel's log the end tells most. */
const largest = 4 * 1024 * 1024

/** What helps to understand a failure, as a gzipped tar. There is no journal: the agent's lines are in its memory. */
export async function collectLogs(log: Log, disks: readonly Disk[]): Promise<Buffer> {
  const folder = await mkdtemp(join(tmpdir(), 'logs-'))
  try {
    const kernel = await run('dmesg', [], 30).catch((error: unknown) => Buffer.from(reason(error)))
    await writeFile(join(folder, 'dmesg.txt'), kernel.subarray(-largest))
    await writeFile(join(folder, 'agent.log'), log.recent().slice(-largest))
    await writeFile(join(folder, 'cmdline.txt'), withoutTokens(await readFile('/proc/cmdline', 'utf8')))
    await writeFile(join(folder, 'disks.json'), `${JSON.stringify(disks, null, 2)}\n`)
    return await run('tar', ['-czf', '-', '-C', folder, 'agent.log', 'cmdline.txt', 'disks.json', 'dmesg.txt'], 60)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

export function withoutTokens(commandLine: string): string {
  return commandLine.replaceAll(/(\S*(?:token|password|secret)\S*?=)\S+/gi, '$1***')
}
