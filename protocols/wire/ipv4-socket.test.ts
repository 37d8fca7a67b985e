import { createSocket } from 'node:dgram'
import { readdirSync } from 'node:fs'
import { afterEach, describe, expect, test } from 'vitest'
import { ipv4FromText } from './address.ts'
import { openIpv4Socket, type Endpoint, type Ipv4Socket } from './ipv4-socket.ts'
import { libc } from './libc.ts'

const LOOPBACK = ipv4FromText('127.0.0.1')
const opened: Ipv4Socket[] = []
afterEach(async () => {
  for (const socket of opened.splice(0)) await socket.close()
})

interface Heard {
  socket: Ipv4Socket
  heard: { bytes: Uint8Array; from: Endpoint }[]
  errors: string[]
}

async function open(batches: boolean, port = 0): Promise<Heard> {
  const heard: Heard['heard'] = []
  const errors: string[] = []
  const socket = await openIpv4Socket({
    host: '127.0.0.1',
    port,
    receiveBuffer: 1_048_576,
    batches,
    onMessage: (bytes, from) => heard.push({ bytes, from }),
    onError: (error) => errors.push(error.message),
  })
  opened.push(socket)
  return { socket, heard, errors }
}

test.runIf(process.platform === 'linux' && process.arch === 'x64')('on Linux, batches are what is used', async () => {
  expect(libc()).toBeDefined()
  expect((await open(true)).socket.batches).toBe(true)
})

function openFiles(): number {
  return process.platform === 'linux' ? readdirSync('/proc/self/fd').length : 0
}

describe.each([{ batches: true }, { batches: false }])('batches: $batches', ({ batches }) => {
  test('what is sent in one turn arrives whole and in order, from the port that it was sent from', async () => {
    const [one, other] = [await open(batches), await open(batches)]
    const sent = Array.from({ length: 150 }, (_, index) => new Uint8Array(1 + ((index * 9) % 1_400)).fill(index))
    for (const bytes of sent) one.socket.send(bytes, { address: LOOPBACK, port: other.socket.port })
    await expect.poll(() => other.heard.length).toBe(150)
    expect(other.heard.map(({ bytes }) => Uint8Array.from(bytes))).toEqual(sent)
    expect(other.heard.every(({ from }) => from.address === LOOPBACK && from.port === one.socket.port)).toBe(true)
    expect([...one.errors, ...other.errors]).toEqual([])
  })

  test('what was heard stays as it was when more is heard', async () => {
    const [one, other] = [await open(batches), await open(batches)]
    for (let round = 0; round < 3; round += 1) {
      for (let each = 0; each < 70; each += 1)
        one.socket.send(Uint8Array.of(round, each), { address: LOOPBACK, port: other.socket.port })
      await expect.poll(() => other.heard.length).toBe(70 * (round + 1))
    }
    expect(other.heard.map(({ bytes }) => (bytes[0] ?? 0) * 70 + (bytes[1] ?? 0))).toEqual(
      Array.from({ length: 210 }, (_, index) => index),
    )
  })

  test('streams with silence between them are heard whole and in order, and leave nothing open', async () => {
    const [one, other] = [await open(batches), await open(batches)]
    const wanted: number[] = []
    const openBefore = openFiles()
    for (let stream = 0; stream < 8; stream += 1) {
      for (let each = 0; each < 40; each += 1) {
        one.socket.send(Uint8Array.of(stream, each), { address: LOOPBACK, port: other.socket.port })
        wanted.push(stream * 256 + each)
        if (each % 4 === 0) await new Promise((resolve) => setImmediate(resolve))
      }
      await expect.poll(() => other.heard.length).toBe(wanted.length)
      await new Promise((resolve) => setTimeout(resolve, 30))
    }
    expect(other.heard.map(({ bytes }) => (bytes[0] ?? 0) * 256 + (bytes[1] ?? 0))).toEqual(wanted)
    expect([...one.errors, ...other.errors]).toEqual([])
    await expect.poll(openFiles).toBeLessThan(openBefore + 4) // others in this process open some too
  })

  test('one that cannot be sent is an error, and the others go out', async () => {
    const [one, other] = [await open(batches), await open(batches)]
    one.socket.send(Uint8Array.of(1), { address: LOOPBACK, port: other.socket.port })
    one.socket.send(Uint8Array.of(2), { address: LOOPBACK, port: 0 })
    one.socket.send(Uint8Array.of(3), { address: LOOPBACK, port: other.socket.port })
    await expect.poll(() => other.heard.map(({ bytes }) => bytes[0])).toEqual([1, 3])
    await expect.poll(() => one.errors.length).toBe(1)
  })

  test('datagrams from nothing to far over what any message has harm nobody', async () => {
    const { socket, heard } = await open(batches)
    const client = createSocket('udp4')
    const lengths = [0, 1, 2_048, 2_049, 9_000, 65_507, 3]
    for (const length of lengths)
      await new Promise((resolve) => client.send(new Uint8Array(length).fill(7), socket.port, '127.0.0.1', resolve))
    await expect.poll(() => heard.at(-1)?.bytes.length).toBe(3)
    expect(heard.every(({ bytes }) => bytes.every((byte) => byte === 7))).toBe(true)
    client.close()
  })

  test('a port in use is refused by its name; a socket that is closed sends nothing and hears nothing', async () => {
    const { socket, heard } = await open(batches)
    await expect(open(batches, socket.port)).rejects.toThrow('EADDRINUSE')
    const target = { address: LOOPBACK, port: socket.port }
    socket.deafen()
    opened.splice(0)
    await socket.close()
    socket.send(Uint8Array.of(1), target)
    const again = await open(batches, target.port)
    await new Promise((resolve) => setTimeout(resolve, 20))
    expect([...heard, ...again.heard]).toEqual([])
  })
})
