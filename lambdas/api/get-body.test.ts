import { Readable } from 'node:stream'
import { expect, test } from 'vitest'
import { bodyOfGet, withBodyBeside } from './get-body.ts'

const call = (env: unknown) => ({ env }) as Parameters<typeof bodyOfGet>[0]
const event = (method: string, body: string, isBase64Encoded = false) => ({
  body,
  isBase64Encoded,
  requestContext: { http: { method } },
})

test('the body of a GET of API Gateway goes beside the request, as it was or from base64', async () => {
  const plain = withBodyBeside(event('GET', '{"id":"4"}'))
  const packed = withBodyBeside(event('GET', Buffer.from('{"id":"4"}').toString('base64'), true))
  for (const made of [plain, packed]) {
    expect(made.body).toBeUndefined()
    expect(await bodyOfGet(call({ event: made }))).toEqual({ id: '4' })
  }
})

test('every other body stays where it is', () => {
  const post = event('POST', '{}')
  expect(withBodyBeside(post)).toBe(post)
})

test("node's request is read; none is no arguments, and what is too large or no JSON is refused", async () => {
  const of = (text: string) => bodyOfGet(call({ incoming: Readable.from([Buffer.from(text)]) }))
  expect(await of('{"id":"5"}')).toEqual({ id: '5' })
  expect(await of('')).toEqual({})
  expect(await of('[1]')).toEqual({})
  expect(await bodyOfGet(call(undefined))).toEqual({})
  await expect(of('{')).rejects.toThrow(/not JSON/)
  await expect(of(' '.repeat(9000))).rejects.toThrow(/at most 8192 bytes/)
})
