import { once } from 'node:events'
import { createServer as createHttpServer } from 'node:http'
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { expect, it, onTestFinished } from 'vitest'
import { keepConnection } from './kept-connection.ts'

const bodies = ['the first', '', 'x'.repeat(40_000)].map((text) => Buffer.from(text))

async function listen(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => void server.close())
  return (server.address() as AddressInfo).port
}

function connectionTo(port: number, seconds = 30) {
  return keepConnection({ host: '127.0.0.1', port, authority: `127.0.0.1:${port}`, seconds })
}

/** A site that says these bytes, whatever it is asked. */
async function saying(say: (socket: Socket, question: string) => void): Promise<number> {
  const sockets = new Set<Socket>()
  onTestFinished(() => sockets.forEach((socket) => socket.destroy()))
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.once('data', (question: Buffer) => say(socket, question.toString()))
  })
  return listen(server)
}

it('questions are answered in their order, each into the memory that was given for it', async () => {
  const said: string[] = []
  const server = createHttpServer((request, reply) => {
    said.push(`${request.url} ${request.headers.host} ${String(request.headers['x-have'])}`)
    const body = bodies[Number(request.url?.slice(1))]
    reply.writeHead(body ? 200 : 404, { 'content-length': body?.length ?? 2 }).end(body ?? 'no')
  })
  const port = await listen(server)
  const { get } = connectionTo(port)
  const memories = [0, 1, 2, 3].map(() => new Uint8Array(new SharedArrayBuffer(50_000)))
  const answers = await Promise.all(memories.map((memory, at) => get(`/${at}`, { 'x-have': `${at}` }, memory)))
  expect(answers).toEqual([
    { status: 200, length: 9 },
    { status: 200, length: 0 },
    { status: 200, length: 40_000 },
    { status: 404, length: 2 },
  ])
  for (const [at, body] of bodies.entries()) expect(Buffer.from(memories[at]!.slice(0, body.length))).toEqual(body)
  expect(said).toEqual([0, 1, 2, 3].map((at) => `/${at} 127.0.0.1:${port} ${at}`))
})

it('replies are taken apart wherever the network cuts them', async () => {
  const replies = Buffer.concat(
    bodies.flatMap((body) => [Buffer.from(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n`), body]),
  )
  for (const cut of [1, 20, 38, 39, 45, 60, 90, 95, 96, 30_000]) {
    const port = await saying((socket) => {
      socket.setNoDelay(true)
      socket.write(replies.subarray(0, cut))
      setImmediate(() => socket.write(replies.subarray(cut)))
    })
    const { get } = connectionTo(port)
    const memories = bodies.map(() => new Uint8Array(40_000))
    const answers = await Promise.all(memories.map((memory) => get('/', {}, memory)))
    expect(answers.map(({ length }) => length)).toEqual(bodies.map(({ length }) => length))
    for (const [at, body] of bodies.entries()) expect(Buffer.from(memories[at]!.slice(0, body.length))).toEqual(body)
  }
})

it.each([
  ['HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nshort', 'closed'],
  ['HTTP/1.1 200 OK\r\ncontent-length: 101\r\n\r\n', 'a reply of 101 bytes, of which there is room for 100'],
  ['HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n', 'no known length'],
  ['HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab', 'no known length'],
  ['HTTP/1.1 200 OK\r\n\r\nabc', 'no known length'],
  ['HTTP/1.1 100 Continue\r\n\r\n', 'none of HTTP/1.1'],
  ['SSH-2.0-OpenSSH_9.2\r\n\r\n', 'none of HTTP/1.1'],
  ['x'.repeat(20_000), 'too long a head'],
  ['', 'closed'],
])('what is no plain reply ends the connection, and the reason is told: %.30s', async (text, why) => {
  const port = await saying((socket) => socket.end(text))
  await expect(connectionTo(port).get('/', {}, new Uint8Array(100))).rejects.toThrow(why)
})

it('what was not asked for ends the connection', async () => {
  const port = await saying((socket) =>
    socket.write('HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\naHTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\nb'),
  )
  const { get } = connectionTo(port)
  const memory = new Uint8Array(10)
  expect(await get('/', {}, memory)).toEqual({ status: 200, length: 1 })
  expect(memory.slice(0, 2)).toEqual(new Uint8Array([0x61, 0]))
})

it('a site that is silent, or is not there, is an error', async () => {
  const port = await saying((socket, question) => {
    if (question.startsWith('GET /spoken')) socket.write('HTTP/1.1 204 No Content\r\n\r\n')
  })
  const { get } = connectionTo(port, 0.05)
  await expect(get('/silent', {}, new Uint8Array(1))).rejects.toThrow('no byte for 0.05 s')
  expect(await connectionTo(port).get('/spoken', {}, new Uint8Array(1))).toEqual({ status: 204, length: 0 })
  const nobody = createServer()
  const free = await listen(nobody)
  nobody.close()
  await once(nobody, 'close')
  await expect(connectionTo(free).get('/', {}, new Uint8Array(1))).rejects.toThrow('ECONNREFUSED')
})
