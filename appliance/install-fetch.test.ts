import { createServer, type AddressInfo } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'

// Of these some leave the last bytes unread when the end comes, some don't: that depends on how the kernel cuts them.
const SIZES = [65_536, 65_700, 66_000]

test('a server that closes behind its last byte, as of HTTP/1.0, does not end the program, however late it is read', async () => {
  const fatal: unknown[] = []
  const note = (error: unknown): void => void fatal.push(error)
  process.on('uncaughtExceptionMonitor', note)
  const server = createServer((socket) => {
    socket.on('error', () => {})
    socket.once('data', (asked) => {
      const size = Number(/^GET \/(\d+) /.exec(String(asked))?.[1])
      socket.write(`HTTP/1.0 200 OK\r\nContent-Length: ${size}\r\n\r\n`)
      socket.end(Buffer.alloc(size))
    })
  })
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    process.off('uncaughtExceptionMonitor', note)
    server.close()
  })
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  await (await fetch(`${base}/1`)).arrayBuffer() // Node's own is at work already, as when any library has touched it
  const { installFetch } = await import('./install-fetch.ts')
  installFetch()
  for (const size of SIZES) {
    const reply = await fetch(`${base}/${size}`)
    await new Promise((resolve) => setTimeout(resolve, 300))
    expect((await reply.arrayBuffer()).byteLength).toBe(size)
  }
  expect(fatal).toEqual([])
})
