import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { zstdDecompressSync } from 'node:zlib'
import { afterAll, expect, test } from 'vitest'
import type { Entry } from './cpio.ts'
import { writeLayer } from './layer.ts'

const folder = mkdtempSync(join(tmpdir(), 'layer-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const tree: Entry[] = [
  { path: 'usr/bin/tool', kind: 'file', mode: 0o755, content: Buffer.from('#!/bin/sh\necho hello\n') },
  { path: 'bin', kind: 'link', target: 'usr/bin' },
  { path: 'tmp', kind: 'directory', mode: 0o1777 },
  { path: 'empty', kind: 'file', mode: 0o600, content: new Uint8Array() },
]

test('GNU cpio lists what the layer holds, with modes, owner and sizes', async () => {
  const file = join(folder, 'listed')
  await writeLayer(tree, file)
  const archive = zstdDecompressSync(readFileSync(file))
  const listed = execFileSync('cpio', ['-itv', '--quiet', '--numeric-uid-gid'], { input: archive, encoding: 'utf8' })
  const rows = listed
    .trim()
    .split('\n')
    .map((row) => row.split(/\s+/))
  expect(rows.map(([mode, , uid, gid, size, , , , ...name]) => [mode, uid, gid, size, name.join(' ')])).toEqual([
    ['lrwxrwxrwx', '0', '0', '7', 'bin -> usr/bin'],
    ['-rw-------', '0', '0', '0', 'empty'],
    ['drwxrwxrwt', '0', '0', '0', 'tmp'],
    ['drwxr-xr-x', '0', '0', '0', 'usr'],
    ['drwxr-xr-x', '0', '0', '0', 'usr/bin'],
    ['-rwxr-xr-x', '0', '0', '21', 'usr/bin/tool'],
  ])
})

test('a layer written twice is the same, byte for byte', async () => {
  await writeLayer(tree, join(folder, 'one'))
  await writeLayer([...tree].reverse(), join(folder, 'two'))
  expect(readFileSync(join(folder, 'one')).equals(readFileSync(join(folder, 'two')))).toBe(true)
})
