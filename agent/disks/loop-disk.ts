import { execFileSync } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, readSync, rmSync, truncateSync, writeFileSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { type Disk, MiB } from './disk.ts'

/** Runs one of the programs that judge our work. */
export function tool(program: string, ...args: string[]): string {
  return execFileSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], timeout: 120_000 })
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

/** One that is full of what somebody left. */
export function usedDisk(mebibytes: number): Disk {
  const disk = loopDisk(mebibytes * MiB)
  const file = openSync(disk.name, 'r+')
  const old = Buffer.alloc(MiB, 0xaa)
  for (let at = 0; at < disk.size; at += MiB) writeSync(file, old, 0, MiB, at)
  closeSync(file)
  return disk
}

export function contents({ name }: Disk, length: number): Buffer {
  const bytes = Buffer.alloc(length)
  const file = openSync(name, 'r')
  for (let at = 0; at < length;) at += readSync(file, bytes, at, length - at, at)
  closeSync(file)
  return bytes
}
