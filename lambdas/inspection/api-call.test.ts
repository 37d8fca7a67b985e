import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, it, onTestFinished } from 'vitest'
import { callApi } from './api-call.ts'

const HERE = ['127.0.0.1/32']
const never = new AbortController().signal

async function server(listener: RequestListener): Promise<string> {
  const made = createServer(listener)
  await new Promise<void>((resolve) => made.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    made.closeAllConnections()
    made.close()
  })
  return `http://127.0.0.1:${(made.address() as AddressInfo).port}/`
}
const call = (url: string, more = {}) => ({ url, headers: {}, timeout: 5, retries: 1, ...more })

it('is content with any 2xx, and tries again what may pass', async () => {
  let asked = 0
  const url = await server((_, reply) => void reply.writeHead((asked += 1) === 1 ? 503 : 204).end())
  expect(await callApi(call(url), HERE, never)).toBeUndefined()
  expect(asked).toBe(2)
})

it('does not try again what won’t, nor follow elsewhere', async () => {
  let asked = 0
  const url = await server((_, reply) => {
    asked += 1
    reply.writeHead(302, { location: 'http://169.254.169.254/' }).end()
  })
  expect(await callApi(call(url), HERE, never)).toBe('HTTP 302')
  expect(asked).toBe(1)
})

it('gives up on silence, by its own time and by that of all calls together', async () => {
  const url = await server(() => {})
  expect(await callApi(call(url, { timeout: 0.05, retries: 0 }), HERE, never)).toBe('no answer in time')
  expect(await callApi(call(url), HERE, AbortSignal.timeout(50))).toMatch(/all calls of the rules/)
})

it.each(['http://127.0.0.1:1/', 'http://[::1]:1/', 'http://localhost:1/', 'http://169.254.169.254/'])(
  'does not reach %s unless the operator lets it',
  async (url) => {
    expect(await callApi(call(url, { retries: 0 }), [], never)).toMatch(/may (not )?reach/)
  },
)
