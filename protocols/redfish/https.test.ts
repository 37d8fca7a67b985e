import { createServer, type RequestListener, type Server } from 'node:http'
import { type AddressInfo, createServer as createTcp, type Socket } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { connect, type ConnectOptions, type Redfish } from './client.ts'
import { readPower } from './power.ts'
import { findSystem } from './system.ts'

const SYSTEM = '/redfish/v1/Systems/1'
const resources: Readonly<Record<string, unknown>> = {
  '/redfish/v1/': {
    RedfishVersion: '1.8.0',
    Systems: { '@odata.id': '/redfish/v1/Systems' },
    Links: { Sessions: { '@odata.id': '/redfish/v1/SessionService/Sessions' } },
  },
  '/redfish/v1/Systems': { Members: [{ '@odata.id': SYSTEM }] },
  [SYSTEM]: { PowerState: 'On' },
}
/** For what is asked again until the time is over. */
const ASKED_AGAIN = { timeoutMs: 3000 }
const options = { username: 'admin', password: 'hunter2-secret', random: () => 0.5 } as const

describe('on real sockets', () => {
  const open: { close(): void }[] = []
  afterEach(() => {
    for (const each of open.splice(0)) each.close()
  })

  async function listening(server: Server | ReturnType<typeof createTcp>): Promise<number> {
    await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
    open.push({ close: () => server.close() })
    return (server.address() as AddressInfo).port
  }

  async function connectTo(port: number, more: Partial<ConnectOptions> = {}): Promise<Redfish> {
    const bmc = await connect({ ...options, address: `http://127.0.0.1:${port}`, timeoutMs: 30_000, ...more })
    open.push({ close: () => void bmc.close() })
    return bmc
  }

  it('a BMC that accepts and says nothing is given up at the deadline', async () => {
    const sockets: Socket[] = []
    const port = await listening(createTcp((socket) => void sockets.push(socket)))
    open.push({ close: () => sockets.forEach((socket) => socket.destroy()) })
    await expect(connectTo(port, { timeoutMs: 1200 })).rejects.toThrow(/no answer within 1\.2 s/)
  })

  it.each([undefined, 'ab'.repeat(32)])(
    'its connections are closed then, also where its certificate is pinned: %s',
    async (pin) => {
      const sockets = new Set<Socket>()
      const silent = createTcp((socket) => {
        sockets.add(socket.on('error', () => undefined).on('close', () => sockets.delete(socket)))
        socket.resume()
      })
      const address = `https://127.0.0.1:${await listening(silent)}`
      const tls = { verify: false, ...(pin && { pin }) }
      await expect(connect({ ...options, address, tls, timeoutMs: 1200 })).rejects.toThrow(/no answer within 1\.2 s/)
      await expect.poll(() => sockets.size).toBe(0)
    },
  )

  it('a BMC that ends the connection midway is told as that', async () => {
    const port = await listening(
      createTcp(
        (socket) => void socket.on('error', () => undefined).end('HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{'),
      ),
    )
    await expect(connectTo(port, ASKED_AGAIN)).rejects.toThrow(/the connection broke/)
  })

  it('a BMC that is no HTTP server is told as that', async () => {
    const port = await listening(
      createTcp((socket) => void socket.on('error', () => undefined).end('SSH-2.0-dropbear\r\n')),
    )
    await expect(connectTo(port, ASKED_AGAIN)).rejects.toThrow(/BMC 127\.0\.0\.1:\d+, read service root: /)
  })

  it('nobody there is told as that', async () => {
    const server = createTcp()
    const port = await listening(server)
    server.close()
    await expect(connectTo(port, ASKED_AGAIN)).rejects.toThrow(/no connection \(ECONNREFUSED\)/)
  })

  it('a flood is cut off', async () => {
    const flood: RequestListener = (_request, response) => {
      const pour = (): void => {
        for (let left = 32; left > 0 && !response.destroyed && response.write(Buffer.alloc(1 << 20, 0x20)); left -= 1);
      }
      response.on('drain', pour).on('error', () => undefined)
      pour()
    }
    const server = createServer(flood)
    const port = await listening(server)
    await expect(connectTo(port, { timeoutMs: 50_000 })).rejects.toThrow(/more than 16777216 bytes/)
    server.closeAllConnections()
  })

  it('kept connections that the BMC closed in between are opened again, unseen', async () => {
    const server = createServer((request, response) => {
      response.setHeader('content-type', 'application/json')
      if (request.method === 'POST') response.writeHead(201, { 'x-auth-token': 't' })
      const known = Object.entries(resources).find(([path]) => path === request.url)
      response.end(JSON.stringify(known?.[1] ?? {}))
    })
    const port = await listening(server)
    const bmc = await connectTo(port)
    const system = await findSystem(bmc)
    for (let round = 0; round < 5; round += 1) {
      server.closeIdleConnections()
      expect(await readPower(bmc, system)).toBe('on')
    }
    server.closeAllConnections()
  })

  /** Answers by `script`, and closes its own half only: it goes on listening to ours. */
  function halfClosing(script: (path: string) => string | undefined) {
    const sockets: Socket[] = []
    open.push({ close: () => sockets.forEach((socket) => socket.destroy()) })
    return createTcp({ allowHalfOpen: true }, (socket) => {
      sockets.push(socket.on('error', () => undefined))
      socket.on('data', (bytes) => {
        const [method = '', path = ''] = bytes.toString().split(' ')
        const answer = script(method === 'POST' ? 'session' : path)
        if (answer === undefined) socket.end()
        else if (answer.includes('content-length')) socket.write(answer)
        else socket.end(answer)
      })
    })
  }
  const whole = (path: string, length: boolean): string => {
    const body = JSON.stringify(path === 'session' ? {} : (resources[path] ?? {}))
    const head = path === 'session' ? 'HTTP/1.1 201 Created\r\nx-auth-token: t\r\n' : 'HTTP/1.1 200 OK\r\n'
    return `${head}${length ? `content-length: ${body.length}\r\n` : 'connection: close\r\n'}\r\n${body}`
  }

  it('a BMC that closes its half of the connection instead of answering is asked again what is harmless', async () => {
    const asked = new Set(['session'])
    const deaf = halfClosing((path) => (asked.has(path) ? whole(path, false) : void asked.add(path)))
    const bmc = await connectTo(await listening(deaf), { timeoutMs: 20_000 })
    expect(await readPower(bmc, await findSystem(bmc))).toBe('on')
    expect(asked).toContain(SYSTEM)
  })

  it('a BMC that closes its half whenever it is asked is told as that, and soon', async () => {
    const port = await listening(halfClosing(() => undefined))
    await expect(connectTo(port, ASKED_AGAIN)).rejects.toThrow(
      /read service root: the connection broke .*; check its address/,
    )
  })

  it('an answer that ends with the half-closed connection counts when it says no length, and not when it is short of it', async () => {
    const port = await listening(halfClosing((path) => whole(path, false)))
    const bmc = await connectTo(port)
    expect(await readPower(bmc, await findSystem(bmc))).toBe('on')
    const short = createTcp({ allowHalfOpen: true }, (socket) => {
      socket.on('error', () => undefined)
      socket.on('data', () => void socket.end('HTTP/1.1 200 OK\r\ncontent-length: 900\r\n\r\n{"RedfishVersion": "1'))
    })
    await expect(connectTo(await listening(short), ASKED_AGAIN)).rejects.toThrow(/the connection broke/)
  })

  it('a kept connection whose other half was closed in between is opened again, unseen', async () => {
    const server = halfClosing((path) => whole(path, true))
    const sockets: Socket[] = []
    server.on('connection', (socket: Socket) => void sockets.push(socket))
    const bmc = await connectTo(await listening(server))
    const system = await findSystem(bmc)
    for (let round = 0; round < 5; round += 1) {
      for (const socket of sockets.splice(0)) socket.end()
      expect(await readPower(bmc, system)).toBe('on')
    }
  })
})
