import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import type { Disk } from './disk.ts'

/** Runs one of the programs that judge our work. */
export function tool(program: string, ...args: string[]): string {
  return execFileSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], timeout: 60_000 })
}

export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'agent-peer-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  return folder
}

/** A real block device with partitions, in a file, for the length of a test. */
export function loopDisk(size: number, sector = 512): Disk {
  const file = join(temporaryFolder(), 'disk')
  writeFileSync(file, '')
  truncateSync(file, size)
  const name = tool('losetup', '--find', '--show', '--partscan', '--sector-size', String(sector), file).trim()
  onTestFinished(() => void tool('losetup', '--detach', name))
  return { name, size, sector, rotational: false, discards: true }
}
