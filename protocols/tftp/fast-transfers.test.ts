import { randomBytes } from 'node:crypto'
import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { setImmediate as turn } from 'node:timers/promises'
import { afterEach, expect, test } from 'vitest'
import { ipv4FromText } from '@bloomery/wire/address.ts'
import { Arena } from '@bloomery/wire/arena.ts'
import { libc, type Libc } from '@bloomery/wire/libc.ts'
import { FastTransfers, type FastEnd, type FastOrder } from './fast-transfers.ts'
import { negotiate } from './negotiate.ts'
import { encodePacket } from './packet.ts'

interface Engine {
  transfers: FastTransfers
  ended: FastEnd[]
  look(): void
}

const native = libc()
const BLKSIZE = 64
const content = randomBytes(300 * BLKSIZE + 5)
const open: { close(): unknown }[] = []
afterEach(() => open.splice(0).forEach((each) => each.close()))

/** `threads` says who has which processor. Its bell rings before each look, so that a look comes back at once. */
function engine(native: Libc, thread: number, busy: Int32Array<SharedArrayBuffer>, threads: number[]): Engine {
  const bell = native.eventfd(0, 0x800)
  const one = new Arena(native, 8)
  one.word(0, 1)
  const ended: FastEnd[] = []
  const transfers = new FastTransfers(native, bell, (end) => ended.push(end), { thread, busy }, threads)
  open.push({ close: () => (transfers.stop(), native.close(bell)) })
  return {
    transfers,
    ended,
    look() {
      native.write(bell, one.address, 8)
      transfers.run()
    },
  }
}

async function client(): Promise<{ socket: Socket; port: number; blocks: Buffer[]; from: Set<number> }> {
  const socket = createSocket('udp4')
  open.push(socket)
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  const blocks: Buffer[] = []
  const from = new Set<number>()
  socket.on('message', (bytes, { port, address }) => {
    from.add(port)
    if (bytes.readUInt16BE(2) === blocks.length + 1) blocks.push(bytes.subarray(4))
    socket.send(encodePacket({ op: 'ack', block: blocks.length }), port, address)
  })
  return { socket, port: (socket.address() as AddressInfo).port, blocks, from }
}

const orderFor = (id: number, port: number): FastOrder => ({
  id,
  content: { bytes: content },
  size: content.length,
  terms: negotiate(new Map([['blksize', String(BLKSIZE)]]), content.length),
  client: { address: ipv4FromText('127.0.0.1'), port },
  host: '127.0.0.1',
  ports: [0],
})

/** Every processor is the other thread's. */
const ELSEWHERE = Array.from({ length: 1_024 }, () => 1)

async function until(done: () => boolean, run: () => void): Promise<void> {
  for (let turns = 0; !done(); turns += 1) {
    if (turns > 20_000) throw new Error('it did not come so far')
    run()
    await turn()
  }
}

test.runIf(native)('transfers whose ACKs arrive elsewhere go on there, from the same port', async () => {
  if (native === undefined) return
  const busy = new Int32Array(new SharedArrayBuffer(8))
  const [here, there] = [engine(native, 0, busy, ELSEWHERE), engine(native, 1, busy, ELSEWHERE)]
  const clients = await Promise.all([client(), client(), client()])
  clients.forEach(({ port }, id) => here.transfers.begin(orderFor(id, port)))
  const run = (): void => {
    here.look()
    there.look()
  }
  await until(() => here.ended.length > 0, run)
  const [end] = here.ended
  if (end?.phase !== 'moved') throw new Error(`it ${end?.phase}`)
  expect(end.to).toBe(1)
  there.transfers.begin({ ...orderFor(end.id, clients[end.id]?.port ?? 0), begun: end.begun })
  await until(() => there.ended.length > 0, run)
  expect(there.ended[0]).toMatchObject({ id: end.id, phase: 'complete', acked: 301, repeated: 0 })
  const moved = clients[end.id]
  expect(Buffer.concat(moved?.blocks ?? []).equals(content)).toBe(true)
  expect(moved?.from.size).toBe(1)
  expect([...busy]).toEqual([here.transfers.size, 0])
})
