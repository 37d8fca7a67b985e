import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openBootMedia } from '../media/media.ts'
import { readIso } from '../media/read-iso.ts'
import { openMetrics } from '../metrics.ts'
import { noDiscovery } from './discovery.ts'
import { type BootHttp, bootApp, startBootHttp } from './http.ts'
import type { BootMachine } from './machine.ts'

/** Media by HTTP, as BMCs, firmware and iPXE read them: an instance's ISO, which is a file, and the ramdisk's, which is put together. */

const MAC = '52:54:00:12:34:56'
const SIZE = 3_000_001
const live = randomBytes(SIZE)
const common: Omit<BootMachine, 'mode'> = { node: 'n1', generation: 1, macs: [MAC], arch: 'x86_64' }
const machines: Record<string, BootMachine> = {
  instance: { ...common, mode: 'instance', instance: { iso: 'live', cmdline: '', byMedium: true } },
  ramdisk: { ...common, mode: 'ramdisk', ramdisk: { cmdline: '', media: { network: '' } } },
  network: { ...common, mode: 'ramdisk', ramdisk: { cmdline: '' } },
}
let dir: string
let http: BootHttp
const told: string[] = []
const whole: Record<string, Buffer> = { instance: live }

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'iso-'))
  const [kernel, initrd] = [join(dir, 'kernel'), join(dir, 'initrd')]
  for (const path of [kernel, initrd]) writeFileSync(path, randomBytes(70_001))
  writeFileSync(join(dir, 'live'), live)
  const media = openBootMedia({
    files: { x86_64: { kernel, initrd }, loaders: {} },
    base: 'http://192.0.2.1:8080',
    agentToken: () => undefined,
    loaders: () => Promise.resolve({ uefi: Buffer.alloc(4096, 'loader') }),
  })
  const nothing = (): void => {}
  const app = bootApp({
    media,
    files: { loaders: new Map(), ramdisks: { loaders: {} }, refused: [] },
    imageDir: dir,
    directory: {
      byMac: () => undefined,
      byBootToken: (token) => machines[token] && { machine: machines[token], mac: MAC },
      bySpentToken: (token) => (token === 'spent' ? { node: 'n1', mac: MAC } : undefined),
      bootToken: () => '',
    },
    discovery: noDiscovery,
    leases: { byAddress: () => undefined },
    events: { seen: nothing },
    notices: { tell: (_, { text }) => void told.push(text) },
    log: { debug: nothing, info: nothing, warn: nothing, error: nothing },
    metrics: openMetrics(),
  })
  http = await startBootHttp({ port: 0, host: '127.0.0.1' }, app)
  const iso = await media.open(machines['ramdisk']!, MAC)
  const pieces: Uint8Array[] = []
  for await (const piece of readIso(iso, 0, iso.size - 1)) pieces.push(piece)
  whole['ramdisk'] = Buffer.concat(pieces)
})
afterAll(async () => {
  await http?.stop()
  rmSync(dir, { recursive: true })
})

async function get(path: string, headers: Record<string, string> = {}, method = 'GET') {
  const reply = await fetch(`http://127.0.0.1:${http.port}/boot/${path}`, { method, headers })
  return { status: reply.status, headers: reply.headers, body: Buffer.from(await reply.arrayBuffer()) }
}

const media = [
  ['instance', 'instance/instance.iso'],
  ['ramdisk', 'ramdisk/boot.iso'],
] as const

test.each(media)(
  'of the %s’s ISO each piece is that of the whole: a sector, a suffix, across its end',
  async (of, path) => {
    const all = whole[of]!
    const last = all.length - 1
    for (const [range, from, to] of [
      ['bytes=0-0', 0, 0],
      ['bytes=32768-34815', 32_768, 34_815],
      ['bytes=-2048', last - 2047, last],
      [`bytes=${last - 5}-${last + 5000}`, last - 5, last],
      [`bytes=-${last + 5000}`, 0, last],
      ['bytes=70000-', 70_000, last],
    ] as const) {
      const { status, headers, body } = await get(path, { range })
      expect([range, status, headers.get('content-range')]).toEqual([range, 206, `bytes ${from}-${to}/${all.length}`])
      expect(body.equals(all.subarray(from, to + 1)), range).toBe(true)
    }
  },
)

test.each(media)('of the %s’s ISO there is nothing beyond the end: 416 says how long it is', async (of, path) => {
  for (const range of [`bytes=${whole[of]!.length}-`, 'bytes=-0'])
    expect(await get(path, { range })).toMatchObject({ status: 416, body: Buffer.alloc(0) })
  const { headers } = await get(path, { range: `bytes=${whole[of]!.length}-` })
  expect(headers.get('content-range')).toBe(`bytes */${whole[of]!.length}`)
})

test.each(media)(
  'the %s’s ISO is given whole for several ranges at once, other units, or If-Range',
  async (of, path) => {
    const asked: Record<string, string>[] = [
      { range: 'bytes=0-1,4-5' },
      { range: 'sectors=0-1' },
      { range: 'bytes=5-1' },
      { range: 'bytes=0-1', 'if-range': '"of another server"' },
      { range: 'bytes=0-1', 'if-range': 'Mon, 23 Nov 2026 10:00:00 GMT' },
    ]
    for (const headers of asked) {
      const { status, body } = await get(path, headers)
      expect([headers, status, body.equals(whole[of]!)]).toEqual([headers, 200, true])
    }
  },
)

test.each(media)(
  'HEAD tells of the %s’s ISO how long it is and that it has ranges, and sends nothing',
  async (of, path) => {
    const { status, headers, body } = await get(path, {}, 'HEAD')
    expect([status, headers.get('content-length'), headers.get('accept-ranges'), body.length]).toEqual([
      200,
      `${whole[of]!.length}`,
      'bytes',
      0,
    ])
  },
)

test('after its boot a medium is a 403, and a notice; what a machine doesn’t boot by is a 404', async () => {
  expect((await get('network/boot.iso')).status).toBe(404)
  expect(told).toEqual([])
  for (const part of ['boot.iso', 'instance.iso']) expect((await get(`spent/${part}`)).status).toBe(403)
  expect(told).toEqual(
    ['boot.iso', 'instance.iso'].map(
      (part) =>
        `the ${part} of a boot of ${MAC} that is over was asked for by an unknown card at 127.0.0.1, and refused`,
    ),
  )
  expect((await get('made-up/boot.iso')).status).toBe(403)
  expect(told).toHaveLength(2)
})
