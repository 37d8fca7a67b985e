import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, it } from 'vitest'
import { addressGuard } from './address-guard.ts'
import { post } from './post.ts'

const guard = addressGuard(['127.0.0.0/8', '::1/128'])
const message = { headers: { 'webhook-id': 'x' }, body: '{}' }

async function against(answer: RequestListener, run: (url: string) => Promise<void>): Promise<void> {
  const server = createServer(answer).listen(0, '127.0.0.1')
  await once(server, 'listening')
  try {
    await run(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`)
  } finally {
    server.closeAllConnections()
    server.close()
  }
}

it.each([
  [200, {}, { taken: true }],
  [204, {}, { taken: true }],
  [302, { location: 'http://169.254.169.254/' }, { taken: false, why: 'HTTP 302: redirects are not followed' }],
  [400, {}, { taken: false, why: 'HTTP 400: what it says', refused: true }],
  [410, {}, { taken: false, why: 'HTTP 410: what it says', gone: true }],
  [429, { 'retry-after': '30' }, { taken: false, why: 'HTTP 429: what it says', afterSeconds: 30 }],
  [503, { 'retry-after': 'soon' }, { taken: false, why: 'HTTP 503: what it says' }],
])('HTTP %i %j is %j', async (status, headers, answer) => {
  await against(
    (_request, response) => response.writeHead(status, headers).end(status === 204 ? '' : 'what it\n says'),
    async (url) => expect(await post(url, message, guard)).toEqual(answer),
  )
})

it('a receiver that answers without end is read a little only', async () => {
  await against(
    (_request, response) => {
      response.writeHead(500)
      const flood = (): void => {
        while (response.writable && response.write('x'.repeat(1000)));
      }
      response.on('drain', flood).on('error', () => {})
      flood()
    },
    async (url) =>
      expect(await post(url, message, guard)).toEqual({ taken: false, why: `HTTP 500: ${'x'.repeat(200)}` }),
  )
})

it('one that does not answer is given up in time, also when it has begun to', async () => {
  const late = { taken: false, why: 'no answer within 0.1 s' }
  await against(
    () => {},
    async (url) => expect(await post(url, message, guard, undefined, 100)).toEqual(late),
  )
  await against(
    (_request, response) => response.writeHead(500).write('and'),
    async (url) => expect(await post(url, message, guard, undefined, 100)).toEqual(late),
  )
})

it('nothing is sent to an address that may not be reached, by number or by name', async () => {
  let asked = 0
  await against(
    (_request, response) => {
      asked += 1
      response.end()
    },
    async (url) => {
      const strict = addressGuard()
      expect(await post(url, message, strict)).toEqual({ taken: false, why: 'webhooks may not reach 127.0.0.1' })
      const named = await post(url.replace('127.0.0.1', 'localhost'), message, strict)
      expect(named).toMatchObject({ taken: false, why: expect.stringMatching(/^localhost is at .* may not reach$/) })
      expect(asked).toBe(0)
      expect(await post(url.replace('127.0.0.1', 'localhost'), message, guard)).toEqual({ taken: true })
    },
  )
})

it('says why nobody is there; and nothing, when it no longer matters', async () => {
  let url = ''
  await against(
    () => {},
    async (of) => {
      url = of
    },
  )
  expect(await post(url, message, guard)).toMatchObject({ taken: false, why: expect.stringContaining('ECONNREFUSED') })
  await against(
    () => {},
    async (silent) => {
      await expect(post(silent, message, guard, AbortSignal.timeout(50))).rejects.toThrow()
    },
  )
})
