import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { type Entry, writeCpio } from './cpio.ts'

async function pieces(entries: readonly Entry[]): Promise<Uint8Array[]> {
  const all: Uint8Array[] = []
  for await (const piece of writeCpio(entries)) all.push(piece)
  return all
}

async function archive(entries: readonly Entry[]): Promise<Buffer> {
  return Buffer.concat(await pieces(entries))
}

const tree: Entry[] = [
  { path: 'init', kind: 'file', mode: 0o755, content: Buffer.from('#!/bin/sh\n') },
  { path: 'usr/bin/sh', kind: 'link', target: 'busybox' },
  { path: 'dev/console', kind: 'character', mode: 0o600, major: 5, minor: 1 },
]

test('equal trees give equal bytes whatever the order of their entries', async () => {
  expect(await archive([...tree].reverse())).toEqual(await archive(tree))
})

test('parents come before their children and are made when nobody named them', async () => {
  const text = (await archive(tree)).toString('latin1')
  const order = ['dev\0', 'dev/console\0', 'init\0', 'usr\0', 'usr/bin\0', 'usr/bin/sh\0', 'TRAILER!!!\0']
  const places = order.map((name) => text.indexOf(name))
  expect(places.every((place) => place > 0)).toBe(true)
  expect(places).toEqual([...places].sort((a, b) => a - b))
})

test('an entry carries root as its owner, no time, and its type, mode and size', async () => {
  const [first] = await pieces([tree[0]!])
  const fields = Buffer.from(first!).toString('latin1').slice(6, 110).match(/.{8}/g)
  const [inode, mode, uid, gid, links, mtime, size] = fields!.map((field) => Number.parseInt(field, 16))
  expect({ inode, mode, uid, gid, links, mtime, size }).toEqual({
    inode: 1,
    mode: 0o100755,
    uid: 0,
    gid: 0,
    links: 1,
    mtime: 0,
    size: 10,
  })
})

test('every header and every content starts on a multiple of four bytes', async () => {
  const bytes = await archive([{ path: 'odd', kind: 'file', mode: 0o644, content: Buffer.from('12345') }])
  expect(bytes.length % 4).toBe(0)
  expect(bytes.indexOf('12345') % 4).toBe(0)
  expect(bytes.lastIndexOf('070701') % 4).toBe(0)
})

test('a file of the disk is read when its turn comes', async () => {
  const file = join(mkdtempSync(join(tmpdir(), 'cpio-')), 'source')
  writeFileSync(file, 'from the disk')
  const bytes = await archive([{ path: 'copy', kind: 'file', mode: 0o644, content: { from: file } }])
  expect(bytes.includes('from the disk')).toBe(true)
})

test.each(['/etc', 'a//b', '../up', ''])('the path "%s" is refused', async (path) => {
  await expect(archive([{ path, kind: 'directory' }])).rejects.toThrow('must be relative and plain')
})
