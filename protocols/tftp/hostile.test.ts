import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { afterEach, expect, test } from 'vitest'
import { negotiate } from './negotiate.ts'
import { decodePacket, encodePacket } from './packet.ts'
import type { Outcome } from './sending.ts'
import { startTftpServer, type TftpServer } from './server.ts'
import { fileOf } from './source.ts'
import { begin, step } from './transfer.ts'

const closing: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0)) await close()
})

async function serve(): Promise<{ server: TftpServer; asked: string[]; outcomes: Outcome[]; errors: Error[] }> {
  const asked: string[] = []
  const outcomes: Outcome[] = []
  const errors: Error[] = []
  const server = await startTftpServer({
    host: '127.0.0.1',
    port: 0,
    source: (name) => {
      asked.push(name)
      return Promise.resolve(name === 'file' ? fileOf(new Uint8Array(100_000)) : undefined)
    },
    onOutcome: (outcome) => outcomes.push(outcome),
    onError: (error) => errors.push(error),
  })
  closing.push(() => server.stop())
  return { server, asked, outcomes, errors }
}

async function asking(port: number, request: Uint8Array): Promise<{ bytes: Uint8Array; from: number }> {
  const socket = createSocket('udp4').bind(0, '127.0.0.1')
  await once(socket, 'listening')
  closing.push(() => new Promise((resolve) => socket.close(() => resolve())))
  socket.send(request, port, '127.0.0.1')
  const [bytes, from] = (await once(socket, 'message')) as [Uint8Array, { port: number }]
  return { bytes, from: from.port }
}

const rrq = (file: string, options: Record<string, string> = {}): Uint8Array =>
  encodePacket({ op: 'rrq', file, mode: 'octet', options: new Map(Object.entries(options)) })

test.each(['../../etc/passwd', '/etc/passwd', String.raw`..\..\boot.ini`, 'file/../file', './file', '//etc//shadow'])(
  'path traversal: %s is a name like any other, and no file has it',
  async (name) => {
    const { server, asked } = await serve()
    expect(decodePacket((await asking(server.port, rrq(name))).bytes)).toMatchObject({ op: 'error', code: 1 })
    expect(asked).toEqual([name])
  },
)

test.each([
  ['0', '512'],
  ['7', '512'],
  ['8', '8'],
  ['65464', '1468'],
  ['65465', '512'],
  ['99999999999999999999', '512'],
  ['-1', '512'],
  ['1e3', '512'],
  [' 600', '512'],
])('hostile block sizes: %j gives blocks of %s bytes', (asked, given) => {
  expect(negotiate(new Map([['blksize', asked]]), 1).blksize).toBe(Number(given))
})

test.each([
  ['0', 1],
  ['65535', 64],
  ['65536', 1],
  ['4294967297', 1],
  ['-4', 1],
])('hostile windows: %j gives windows of %i', (asked, given) => {
  expect(negotiate(new Map([['windowsize', asked]]), 1).windowsize).toBe(given)
})

test('blocks of 8 bytes in windows of 64 send 64 small datagrams, and no more until an ACK', async () => {
  const { server } = await serve()
  const socket = createSocket('udp4').bind(0, '127.0.0.1')
  await once(socket, 'listening')
  closing.push(() => new Promise((resolve) => socket.close(() => resolve())))
  const heard: number[] = []
  socket.on('message', (bytes, from) => {
    if (bytes[1] === 6) socket.send(encodePacket({ op: 'ack', block: 0 }), from.port, '127.0.0.1')
    else heard.push(bytes.length)
  })
  socket.send(rrq('file', { blksize: '8', windowsize: '64' }), server.port, '127.0.0.1')
  await expect.poll(() => heard.length).toBe(64)
  expect(new Set(heard)).toEqual(new Set([12]))
})

test('amplification: whoever doesn’t answer costs at most the first window in lock-step, six times in half a minute', () => {
  // A request with a forged sender: without options a block of 512 bytes, with options an OACK; windows wait for its ACK.
  for (const options of [{}, { blksize: '65464', windowsize: '65535' }]) {
    const terms = negotiate(new Map(Object.entries(options)), 10_000_000)
    let [transfer, actions] = begin(10_000_000, terms, 0)
    const said = [...actions]
    while (transfer.phase === 'oack' || transfer.phase === 'data') {
      ;[transfer, actions] = step(transfer, { kind: 'timer' }, transfer.due)
      said.push(...actions)
    }
    expect(said.length).toBeLessThanOrEqual(6)
    expect(said.every((action) => action.send === 'oack' || action.from === action.to)).toBe(true)
    expect(transfer.phase).toBe('timeout')
  }
})

test('amplification: an error answers a request once, and is no longer than it need be', async () => {
  const { server } = await serve()
  expect((await asking(server.port, rrq('none'))).bytes.length).toBeLessThan(40)
})
