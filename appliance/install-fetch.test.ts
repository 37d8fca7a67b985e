import { createHash, randomBytes } from 'node:crypto'
import { createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { download } from './images/download.ts'
import { installFetch } from './install-fetch.ts'
import { hastyClock } from './testing/blob-server.ts'
import { temporaryFolder } from './testing/temporary-folder.ts'

test('a server that closes behind its last byte, as of HTTP/1.0, ends neither the program nor the download', async () => {
  installFetch()
  const bytes = randomBytes(65_536)
  const server = createServer((socket) => {
    socket.on('error', () => {})
    socket.once('data', () => {
      socket.write(`HTTP/1.0 200 OK\r\nContent-Length: ${bytes.length}\r\n\r\n`)
      socket.end(bytes)
    })
  })
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
  // Nobody reads until long after the server has closed; the end comes with the last bytes, as these are few.
  const slowly: typeof fetch = async (...asked) => {
    const reply = await fetch(...asked)
    await new Promise((resolve) => setTimeout(resolve, 300))
    return reply
  }
  const got = await download(
    {
      name: 'debian',
      url: () => url,
      path: join(temporaryFolder(), 'image.part'),
      algorithm: 'sha256',
      size: bytes.length,
      limit: bytes.length,
      signal: AbortSignal.timeout(15_000),
      progress: () => {},
      expired: () => {},
      trouble: (text) => expect.fail(text),
    },
    hastyClock,
    slowly,
  )
  expect(got).toBe(createHash('sha256').update(bytes).digest('hex'))
})
