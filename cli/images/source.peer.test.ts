import { execFileSync } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { UsageError } from '../usage.ts'
import { openSource } from './source.ts'

const MiB = 1024 * 1024
/** Nearly no disk is full: data, a hole, data. */
const disk = Buffer.concat([randomBytes(3 * MiB), Buffer.alloc(20 * MiB), randomBytes(MiB)])
let dir: string
const at = (name: string): string => join(dir, name)
const tool = (program: string, ...args: string[]): Buffer =>
  execFileSync(program, args, { stdio: ['ignore', 'pipe', 'pipe'], maxBuffer: 64 * MiB })
const silent = () => () => {}

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'source-test-'))
  process.env['TMPDIR'] = dir
  writeFileSync(at('disk.raw'), disk)
})
afterEach(() => {
  delete process.env['TMPDIR']
  rmSync(dir, { recursive: true })
})

async function contentsOf(given: string) {
  await using source = await openSource(given, undefined, silent)
  const hash = createHash('sha256')
  for await (const { length, data } of source.disk.pieces()) hash.update(data ?? Buffer.alloc(length))
  return { name: source.name, format: source.format, size: source.disk.size, digest: hash.digest('hex') }
}
const expected = { size: disk.length, digest: createHash('sha256').update(disk).digest('hex') }

describe('the disk in', () => {
  for (const [format, ending] of [
    ['qcow2', 'qcow2'],
    ['vmdk', 'vmdk'],
    ['vhdx', 'vhdx'],
    ['vdi', 'vdi'],
  ] as const)
    it(format, async () => {
      tool('qemu-img', 'convert', '-O', format, at('disk.raw'), at(`disk.${ending}`))
      expect(await contentsOf(at(`disk.${ending}`))).toEqual({ name: 'disk', format, ...expected })
    })

  it('vhd, of a size that grows and of a fixed one', async () => {
    for (const kind of ['dynamic', 'fixed']) {
      tool('qemu-img', 'convert', '-O', 'vpc', '-o', `subformat=${kind},force_size=on`, at('disk.raw'), at('disk.vhd'))
      expect(await contentsOf(at('disk.vhd'))).toEqual({ name: 'disk', format: 'vhd', ...expected })
    }
  })

  it('gzip, xz and zstd, also around another format', async () => {
    tool('qemu-img', 'convert', '-O', 'qcow2', at('disk.raw'), at('q.qcow2'))
    for (const [program, ending] of [
      ['gzip', 'gz'],
      ['xz', 'xz'],
      ['zstd', 'zst'],
    ] as const) {
      writeFileSync(at(`d.raw.${ending}`), tool(program, '-1', '-c', at('disk.raw')))
      expect(await contentsOf(at(`d.raw.${ending}`))).toEqual({ name: 'd', format: 'raw', ...expected })
      writeFileSync(at(`q.qcow2.${ending}`), tool(program, '-1', '-c', at('q.qcow2')))
      expect(await contentsOf(at(`q.qcow2.${ending}`))).toEqual({ name: 'q', format: 'qcow2', ...expected })
    }
  })

  it('a URL, over a connection that breaks', async () => {
    let asked = 0
    const server = createServer((request, reply) => {
      asked += 1
      const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0)
      const range = from > 0 && { 'content-range': `bytes ${from}-${disk.length - 1}/${disk.length}` }
      reply.writeHead(from > 0 ? 206 : 200, { 'content-length': disk.length - from, etag: '"1"', ...range })
      if (asked === 1) reply.write(disk.subarray(0, 5 * MiB), () => setTimeout(() => reply.destroy(), 50))
      else reply.end(disk.subarray(from))
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/images/debian.raw?token=hush`
    expect(await contentsOf(url)).toEqual({ name: 'debian', format: 'raw', ...expected })
    expect(asked).toBe(2)
    server.close()
  })
})

it('refuses what is not what it says, or refers to other files, and leaves nothing behind', async () => {
  const refused = async (file: string, why: RegExp, declared?: string): Promise<void> => {
    const opening = openSource(at(file), declared, silent)
    await expect(opening).rejects.toThrow(why)
    await expect(opening).rejects.toBeInstanceOf(UsageError)
  }
  tool('qemu-img', 'convert', '-O', 'qcow2', at('disk.raw'), at('liar.raw'))
  await refused('liar.raw', /begins as qcow2/)
  await refused('disk.raw', /is not qcow2/, 'qcow2')
  tool('qemu-img', 'create', '-q', '-f', 'qcow2', '-b', at('disk.raw'), '-F', 'raw', at('backed.qcow2'))
  await refused('backed.qcow2', /refers to another file/)
  tool('qemu-img', 'convert', '-O', 'vmdk', '-o', 'subformat=monolithicFlat', at('disk.raw'), at('flat.vmdk'))
  await refused('flat.vmdk', /refers to other files/)
  for (const [program, ending] of [
    ['gzip', 'gz'],
    ['xz', 'xz'],
    ['zstd', 'zst'],
  ] as const) {
    writeFileSync(at(`torn.${ending}`), tool(program, '-1', '-c', at('disk.raw')).subarray(0, -2000))
    await refused(`torn.${ending}`, /damaged or cut off/)
  }
  writeFileSync(at('empty.raw'), '')
  await refused('empty.raw', /is empty/)
  expect(readdirSync(dir).filter((name) => name.startsWith('bloomery-image-'))).toEqual([])
  expect(readFileSync(at('disk.raw')).equals(disk)).toBe(true)
})
