import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { afterEach, describe, expect, test } from 'vitest'
import { fetchFile } from './client.ts'
import { decodePacket, encodePacket, type TftpPacket } from './packet.ts'
import type { Outcome } from './sending.ts'
import { startTftpServer, type TftpServer, type TftpServerOptions } from './server.ts'
import { fileOf } from './source.ts'

const content = Buffer.from(Uint8Array.from({ length: 300_000 }, (_, index) => (index * 31 + (index >> 8)) & 0xff))
const closing: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0)) await close()
})

async function serve(
  change: Partial<TftpServerOptions> = {},
): Promise<{ server: TftpServer; outcomes: Outcome[]; errors: Error[] }> {
  const outcomes: Outcome[] = []
  const errors: Error[] = []
  const server = await startTftpServer({
    host: '127.0.0.1',
    port: 0,
    source: (name) => Promise.resolve(name === 'file' ? fileOf(content) : undefined),
    onOutcome: (outcome) => outcomes.push(outcome),
    onError: (error) => errors.push(error),
    ...change,
  })
  closing.push(() => server.stop())
  return { server, outcomes, errors }
}

/** A hand on the wire: sends what it is told and hands over what comes. */
async function peer(): Promise<{
  socket: Socket
  say: (packet: TftpPacket | Uint8Array, port: number) => void
  next: () => Promise<{ packet: TftpPacket; port: number }>
}> {
  const socket = createSocket('udp4').bind(0, '127.0.0.1')
  await once(socket, 'listening')
  closing.push(async () => {
    const closed = once(socket, 'close')
    socket.close()
    await closed
  })
  return {
    socket,
    say: (packet, port) => socket.send(packet instanceof Uint8Array ? packet : encodePacket(packet), port, '127.0.0.1'),
    next: async () => {
      const [bytes, from] = (await once(socket, 'message')) as [Uint8Array, { port: number }]
      return { packet: decodePacket(bytes), port: from.port }
    },
  }
}

const rrq = (file: string, options: Record<string, string> = {}, mode = 'octet'): TftpPacket => ({
  op: 'rrq',
  file,
  mode,
  options: new Map(Object.entries(options)),
})

describe.each([{ fast: true }, { fast: false }])('fast: $fast', ({ fast }) => {
  test.each([
    [512, 1],
    [1_428, 4],
    [1_468, 64],
  ])('a file arrives as it is at blksize %i and windowsize %i', async (blksize, windowsize) => {
    const { server, outcomes } = await serve({ fast })
    const got = await fetchFile({ host: '127.0.0.1', port: server.port, file: 'file', blksize, windowsize })
    expect(content.equals(got)).toBe(true)
    await expect.poll(() => outcomes).toMatchObject([{ result: 'complete', file: 'file', bytes: 300_000 }])
  })

  test('fifty clients at once get the file', async () => {
    const { server } = await serve({ fast, maxPerClient: 60 })
    const all = await Promise.all(
      Array.from({ length: 50 }, () => fetchFile({ host: '127.0.0.1', port: server.port, file: 'file' })),
    )
    expect(all.every((got) => content.equals(got))).toBe(true)
  })

  test('a file that is not there, a write and an unknown mode are refused, each in its way', async () => {
    const { server, outcomes } = await serve({ fast })
    await expect(fetchFile({ host: '127.0.0.1', port: server.port, file: 'none' })).rejects.toThrow(
      'TFTP of none from 127.0.0.1: server sent error 1: file not found',
    )
    const { say, next } = await peer()
    say({ op: 'wrq', file: 'file', mode: 'octet', options: new Map() }, server.port)
    expect((await next()).packet).toMatchObject({ op: 'error', code: 2 })
    say(rrq('file', {}, 'mail'), server.port)
    expect((await next()).packet).toMatchObject({ op: 'error', code: 4 })
    expect(outcomes.map(({ result }) => result)).toEqual(['not found', 'refused', 'refused'])
  })

  test('a stranger at the port of a transfer is told so and does no harm', async () => {
    const { server, outcomes } = await serve({ fast })
    const owner = await peer()
    owner.say(rrq('file'), server.port)
    const { port, packet } = await owner.next()
    expect(packet).toMatchObject({ op: 'data', block: 1 })
    const stranger = await peer()
    stranger.say({ op: 'error', code: 0, message: 'die' }, port)
    expect((await stranger.next()).packet).toMatchObject({ op: 'error', code: 5 })
    owner.say(Uint8Array.of(1), port)
    owner.say({ op: 'ack', block: 1 }, port)
    expect((await owner.next()).packet).toMatchObject({ op: 'data', block: 2 })
    expect(outcomes).toEqual([])
  })

  test('every ACK sent twice causes each block once', async () => {
    const { server, outcomes } = await serve({ fast })
    const { socket, say } = await peer()
    let data = 0
    const finished = new Promise<void>((resolve) => {
      socket.on('message', (bytes, from) => {
        const packet = decodePacket(bytes)
        if (packet.op !== 'data') return
        data += 1
        say({ op: 'ack', block: packet.block }, from.port)
        say({ op: 'ack', block: packet.block }, from.port)
        if (packet.data.length < 512) resolve()
      })
    })
    say(rrq('file'), server.port)
    await finished
    expect(data).toBe(Math.floor(300_000 / 512) + 1)
    await expect.poll(() => outcomes[0]?.result).toBe('complete')
  })

  test('a request that comes again starts no second transfer', async () => {
    const { server } = await serve({ fast })
    const { say, socket } = await peer()
    const ports = new Set<number>()
    socket.on('message', (_, from) => ports.add(from.port))
    say(rrq('file'), server.port)
    say(rrq('file'), server.port)
    await expect.poll(() => ports.size, { timeout: 30_000 }).toBe(1) // the first file waits for its thread
    await new Promise((done) => setTimeout(done, 100))
    expect(ports.size).toBe(1)
  })

  test('a size probe is no failure', async () => {
    const { server, outcomes } = await serve({ fast })
    const { say, next } = await peer()
    say(rrq('file', { tsize: '0', blksize: '1468', windowsize: '4' }), server.port)
    const { packet, port } = await next()
    expect(packet).toEqual({
      op: 'oack',
      options: new Map([
        ['blksize', '1468'],
        ['windowsize', '4'],
        ['tsize', '300000'],
      ]),
    })
    say({ op: 'error', code: 8, message: 'User aborted the transfer' }, port)
    await expect.poll(() => outcomes).toMatchObject([{ result: 'probed', because: undefined }])
  })

  test('one client cannot take every transfer', async () => {
    const { server, outcomes } = await serve({ fast, maxPerClient: 1 })
    const first = await peer()
    const second = await peer()
    first.say(rrq('file'), server.port)
    await first.next()
    second.say(rrq('file'), server.port)
    expect((await second.next()).packet).toMatchObject({ op: 'error', message: 'too many transfers, try again' })
    expect(outcomes).toMatchObject([{ result: 'refused' }])
  })

  test('transfers use the ports that they may use', async () => {
    const probe = createSocket('udp4').bind(0, '127.0.0.1')
    await once(probe, 'listening')
    const { port } = probe.address()
    probe.close()
    const { server } = await serve({ fast, portRange: [port, port] })
    const { say, next } = await peer()
    say(rrq('file'), server.port)
    expect((await next()).port).toBe(port)
  })

  test('by one port, many clients at once get the file from the port that they asked, and what comes late is nobody’s', async () => {
    const { server, outcomes, errors } = await serve({ fast, onePort: true })
    const ask = (): Promise<Uint8Array> => fetchFile({ host: '127.0.0.1', port: server.port, file: 'file' })
    for (const got of await Promise.all(Array.from({ length: 10 }, ask))) expect(content.equals(got)).toBe(true)
    const { say, next } = await peer()
    say(rrq('file', { blksize: '1468' }), server.port)
    expect(await next()).toMatchObject({ port: server.port, packet: { op: 'oack' } })
    say({ op: 'ack', block: 0 }, server.port)
    expect(await next()).toMatchObject({ port: server.port, packet: { op: 'data', block: 1 } })
    say({ op: 'error', code: 0, message: 'enough' }, server.port)
    await expect.poll(() => outcomes.at(-1)?.result).toBe('aborted')
    say({ op: 'ack', block: 1 }, server.port)
    say(rrq('none'), server.port)
    expect((await next()).packet).toMatchObject({ op: 'error', code: 1 }) // so the ACK before it was not answered
    expect([server.fast, errors]).toEqual([false, []])
  })

  test.each([
    ['127.0.0.1', 1_500, '1468'],
    ['127.0.0.1', 9_000, '1468'],
    ['127.0.0.1', 1_400, '1368'],
    ['::1', 1_500, '1448'],
    ['::1', 1_280, '1228'],
  ])('at %s no block is longer than leaves whole on a way of %i bytes: %s', async (host, mtu, blksize) => {
    const { server } = await serve({ fast, host, mtuTo: () => mtu })
    const asking = createSocket(host === '::1' ? 'udp6' : 'udp4').bind(0, host)
    await once(asking, 'listening')
    closing.push(() => new Promise((resolve) => asking.close(() => resolve())))
    asking.send(encodePacket(rrq('file', { blksize: '65464' })), server.port, host)
    const [bytes] = (await once(asking, 'message')) as [Uint8Array]
    expect(decodePacket(bytes)).toMatchObject({ op: 'oack', options: new Map([['blksize', blksize]]) })
  })

  test('a file that shrinks while it is sent ends its transfer with an error at both ends', async () => {
    const read = (): Promise<Uint8Array> => Promise.resolve(new Uint8Array(3))
    const { server, outcomes } = await serve({ fast, source: () => Promise.resolve({ size: 9_999, read }) })
    await expect(fetchFile({ host: '127.0.0.1', port: server.port, file: 'f' })).rejects.toThrow('could not be read')
    await expect
      .poll(() => outcomes)
      .toMatchObject([{ result: 'failed', because: 'it became shorter while it was sent' }])
  })

  test('a client refuses a file that is larger than it wants', async () => {
    const { server, outcomes } = await serve({ fast })
    await expect(fetchFile({ host: '127.0.0.1', port: server.port, file: 'file', maxBytes: 999 })).rejects.toThrow(
      'it is larger than 999 bytes',
    )
    await expect.poll(() => outcomes.length).toBe(1)
  })

  test('in netascii a text file arrives as network text', async () => {
    const { server } = await serve({ fast, source: () => Promise.resolve(fileOf(Buffer.from('a\nb\n'))) })
    const { say, next } = await peer()
    say(rrq('f', {}, 'netascii'), server.port)
    const { packet } = await next()
    expect(packet.op === 'data' && Buffer.from(packet.data).toString()).toBe('a\r\nb\r\n')
  })

  test('a server that stops ends its transfers', async () => {
    const { server, outcomes } = await serve({ fast })
    const { say, next } = await peer()
    say(rrq('file'), server.port)
    await next()
    closing.splice(closing.length - 2, 1)
    await server.stop()
    expect(outcomes).toMatchObject([{ result: 'failed', because: 'the server stops' }])
  })

  test('a file arrives over IPv6 too', async () => {
    const { server } = await serve({ fast, host: '::1' })
    expect(await fetchFile({ host: '::1', port: server.port, file: 'file' })).toEqual(content)
  })
})
