import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { bootModesOf } from './boot-modes.ts'
import { type Layout, layoutOf } from './layout.ts'
import { fileAccess } from './random-access.ts'

const MiB = 1024 * 1024

function folder(): string {
  const made = mkdtempSync(join(tmpdir(), 'image-layout-'))
  onTestFinished(() => rmSync(made, { recursive: true }))
  return made
}

/** A disk as `program` makes it. */
async function made(size: number, program: string, args: string[], input?: string) {
  const file = join(folder(), 'disk')
  writeFileSync(file, '')
  truncateSync(file, size)
  execFileSync(program, [...args, file], { input, stdio: 'pipe' })
  return read(file)
}

async function read(file: string): Promise<{ layout: Layout; modes: string[] }> {
  const handle = await open(file, 'r')
  onTestFinished(() => handle.close())
  const disk = await fileAccess(handle)
  const layout = await layoutOf(disk)
  return { layout, modes: await bootModesOf(disk, layout) }
}

it('reads GPT as sgdisk writes it', async () => {
  const { layout, modes } = await made(64 * MiB, 'sgdisk', [
    '-n1:2048:+8M',
    '-t1:ef00',
    '-n3:0:0',
    '-c1:efi',
    '-c3:root ü',
  ])
  expect(layout).toMatchObject({ table: 'gpt', sector: 512 })
  expect(layout.partitions.map(({ number, start, length, name }) => [number, start, length, name])).toEqual([
    [1, MiB, 8 * MiB, 'efi'],
    [3, 9 * MiB, (64 - 9) * MiB - 33 * 512, 'root ü'],
  ])
  expect(modes).toEqual(['uefi'])
})

it('reads MBR with logical partitions as sfdisk writes it', async () => {
  const script = 'label: dos\nsize=8M, type=83\ntype=5\nsize=8M, type=83\nsize=8M, type=82\n'
  const { layout, modes } = await made(64 * MiB, 'sfdisk', ['--quiet'], script)
  expect(layout.table).toBe('mbr')
  expect(layout.partitions.map(({ number, type }) => [number, type])).toEqual([
    [1, '83'],
    [2, '05'],
    [5, '83'],
    [6, '82'],
  ])
  expect(layout.partitions.every(({ start }) => start % MiB === 0)).toBe(true)
  expect(modes).toEqual([])
})

it('finds no table on a disk of one file system', async () => {
  expect((await made(16 * MiB, 'mkfs.vfat', [])).layout).toEqual({ table: 'none', sector: 0, partitions: [] })
})

it('knows how a bootable CD starts', async () => {
  const dir = folder()
  const tree = join(dir, 'tree')
  mkdirSync(tree)
  writeFileSync(join(tree, 'bios.img'), Buffer.alloc(2048, 1))
  writeFileSync(join(tree, 'efi.img'), Buffer.alloc(MiB, 2))
  const iso = join(dir, 'cd.iso')
  const boot = ['-b', 'bios.img', '-no-emul-boot', '-boot-load-size', '4', '-eltorito-alt-boot', '-e', 'efi.img']
  execFileSync('genisoimage', ['-quiet', '-o', iso, ...boot, '-no-emul-boot', tree], { stdio: 'pipe' })
  expect((await read(iso)).modes).toEqual(['bios', 'uefi'])
})
