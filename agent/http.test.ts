import { once } from 'node:events'
import { createServer as createHttpServer, type RequestListener, type Server } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { describe, expect, it, onTestFinished } from 'vitest'
import { createIdentity } from './api/certificate.ts'
import { ask, askInto } from './http.ts'
import { reason } from './log.ts'

async function serve(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return (server.address() as AddressInfo).port
}
const plain = async (answer: RequestListener) => `http://127.0.0.1:${await serve(createHttpServer(answer))}/`
const failure = (asked: Promise<unknown>) => asked.then(() => 'no failure', reason)

describe('https', () => {
  const secure = async () => {
    const { key, certificate } = await createIdentity('127.0.0.1', Date.now())
    const port = await serve(createServer({ key, cert: certificate }, (_, response) => response.end('well')))
    return { url: `https://127.0.0.1:${port}/`, certificate }
  }

  it("is believed when the site's authority vouches for the server", async () => {
    const { url, certificate } = await secure()
    expect((await ask({ ca: certificate }, { url, seconds: 5 })).body.toString()).toBe('well')
  })

  it('is not believed otherwise, unless the operator asked for that', async () => {
    const { url } = await secure()
    const { certificate: other } = await createIdentity('127.0.0.1', Date.now())
    expect(await failure(ask({}, { url, seconds: 5 }))).toContain('self-signed')
    expect(await failure(ask({ ca: other }, { url, seconds: 5 }))).not.toBe('no failure')
    expect((await ask({ insecure: true }, { url, seconds: 5 })).status).toBe(200)
  })
})

it('a reply that is too large, too late or silent is a failure that names the server without its secrets', async () => {
  const large = await plain((_, response) => response.end(Buffer.alloc(2000)))
  expect(await failure(ask({}, { url: large, seconds: 5 }, 1000))).toContain('larger than 1000 bytes')
  const late = await plain(() => undefined)
  const said = await failure(ask({}, { url: `${late}x?token=hush`, seconds: 0.1 }))
  expect(said).toBe(`${late}x failed: no reply within 0.1 s`)
  const silent = await plain((_, response) => response.write('one byte, and then'))
  expect(await failure(ask({}, { url: silent, seconds: 0.1 }))).toContain('no byte for 0.1 s')
})

it('redirects are followed a few times, and only to http', async () => {
  let times = 0
  const turning = await plain((_, response) => response.writeHead(302, { location: `/${times++}` }).end())
  expect(await failure(ask({}, { url: turning, seconds: 5 }))).toContain('more than 5 redirects')
  const leading = await plain((_, response) => response.writeHead(302, { location: 'file:///etc/passwd' }).end())
  expect(await failure(ask({}, { url: leading, seconds: 5 }))).toContain('redirects to file:')
  const once = await plain((request, response) =>
    request.url === '/there' ? response.end('there') : response.writeHead(307, { location: '/there' }).end(),
  )
  expect((await ask({}, { url: once, seconds: 5 })).body.toString()).toBe('there')
})

describe('a reply into memory that is there already', () => {
  it('comes to lie there, and is a failure when it is larger or breaks off', async () => {
    const sent = Buffer.from(Array.from({ length: 300_000 }, (_, at) => (at * 7) % 251))
    const whole = await plain((_, response) => response.end(sent))
    const memory = new Uint8Array(300_000)
    const { status, body } = await askInto({}, { url: whole, seconds: 30 }, memory)
    expect([status, body.buffer, Buffer.compare(body, sent)]).toEqual([200, memory.buffer, 0])
    expect(await failure(askInto({}, { url: whole, seconds: 30 }, new Uint8Array(299_999)))).toContain(
      'larger than 299999',
    )
    const broken = await plain((_, response) => {
      response.writeHead(200, { 'content-length': sent.length }).write(sent.subarray(0, 1000), () => response.destroy())
    })
    expect(await failure(askInto({}, { url: broken, seconds: 30 }, memory))).not.toBe('no failure')
  })

  it('is the same for many at once over kept connections, whose memory is given back', async () => {
    const sent = (path: string): Buffer => Buffer.alloc(200_000, path)
    const server = await plain((request, response) => response.end(sent(request.url ?? '')))
    const one = async (lane: number): Promise<void> => {
      const memory = new Uint8Array(new SharedArrayBuffer(200_000))
      for (let turn = 0; turn < 10; turn += 1) {
        const path = `/${lane}/${turn}`
        const { body } = await askInto({}, { url: new URL(path, server).href, seconds: 30 }, memory)
        expect(Buffer.compare(body, sent(path))).toBe(0)
      }
    }
    await Promise.all(Array.from({ length: 8 }, (_, lane) => one(lane)))
  })
})
