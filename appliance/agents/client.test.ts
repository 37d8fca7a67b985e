import type { RequestListener } from 'node:http'
import { expect, it } from 'vitest'
import { selfSigned } from '../certificates.ts'
import { HardwareError, sentence } from '../hardware-error.ts'
import { httpsServer } from '../testing/https-server.ts'
import { AgentBusy, AgentRefusal, httpsAgentClient } from './client.ts'

const token = 'a-token/with?reserved&characters-of-at-least-32'
const result = {
  id: 'c1',
  command_name: 'sync',
  command_status: 'SUCCEEDED',
  command_error: null,
  command_result: { result: 'done' },
}
const never = new AbortController().signal

async function agent(listener: RequestListener) {
  const server = await httpsServer(listener)
  return { to: { ...server, token }, client: httpsAgentClient(2000) }
}
const answers =
  (status: number, body: unknown): RequestListener =>
  (_, reply) =>
    void reply.writeHead(status).end(typeof body === 'string' ? body : JSON.stringify(body))

async function said(work: Promise<unknown>): Promise<{ error: Error; text: string }> {
  try {
    await work
  } catch (error) {
    return { error: error as Error, text: sentence(error) }
  }
  throw new Error('this should have failed')
}

it('gives a command with the token in the query and the parameters in the body', async () => {
  const seen: { method?: string; url?: string; body: string }[] = []
  const { to, client } = await agent((asked, reply) => {
    let body = ''
    asked.on('data', (chunk: Buffer) => (body += chunk.toString()))
    asked.on('end', () => {
      seen.push({ method: asked.method, url: asked.url, body })
      reply.end(JSON.stringify(result))
    })
  })
  expect(await client.command(to, 'standby.sync', { some: 'ünïcode' }, true, never)).toEqual(result)
  const { method, url, body } = seen[0]!
  expect(method).toBe('POST')
  expect(new URL(url!, to.url).pathname).toBe('/v1/commands/')
  expect(Object.fromEntries(new URL(url!, to.url).searchParams)).toEqual({ wait: 'true', agent_token: token })
  expect(JSON.parse(body)).toEqual({ name: 'standby.sync', params: { some: 'ünïcode' } })
})

it('lists commands', async () => {
  const { to, client } = await agent(answers(200, { commands: [result] }))
  expect(await client.commands(to, never)).toEqual([result])
})

it('talks to no server but the one whose certificate the agent showed', async () => {
  let asked = 0
  const { to, client } = await agent((_, reply) => {
    asked += 1
    reply.end('{}')
  })
  const other = (await selfSigned('127.0.0.1', new Date())).certificate
  const { error, text } = await said(client.commands({ ...to, certificate: other }, never))
  expect(error).toBeInstanceOf(HardwareError)
  expect(text).toMatch(/self-signed certificate|certificate/)
  await expect(client.commands({ ...to, certificate: undefined }, never)).rejects.toThrow('certificate')
  expect(asked).toBe(0)
})

it('talks to no server at another address than its certificate names', async () => {
  const { to, client } = await agent(answers(200, { commands: [] }))
  const elsewhere = { ...to, url: to.url.replace('127.0.0.1', 'localhost') }
  await expect(client.commands(elsewhere, never)).rejects.toThrow(/another address|ECONNREFUSED/)
})

const DAY_MS = 86_400_000
it.each([
  ['ahead', 40],
  ['behind', -400],
])('talks to an agent whose clock is far %s, and to nobody else with such a certificate', async (_, days) => {
  const now = new Date(Date.now() + days * DAY_MS)
  let asked = 0
  const server = await httpsServer((_asked, reply) => {
    asked += 1
    reply.end(JSON.stringify({ commands: [result] }))
  }, now)
  const client = httpsAgentClient(20_000)
  expect(await client.commands({ ...server, token }, never)).toEqual([result])
  const { certificate } = await selfSigned('127.0.0.1', now)
  await expect(client.commands({ ...server, token, certificate }, never)).rejects.toThrow(/certificate/)
  expect(asked).toBe(1)
})

it.each([
  [401, AgentRefusal, 'Token invalid.'],
  [400, AgentRefusal, 'Invalid command: standby.dance'],
  [500, AgentRefusal, 'Internal error'],
  [409, AgentBusy, 'Agent is busy: executing command execute_deploy_step'],
])('tells a refusal with status %i in the words of the agent', async (status, kind, faultstring) => {
  const { to, client } = await agent(answers(status, { faultcode: 'Client', faultstring }))
  const { error, text } = await said(client.command(to, 'standby.sync', {}, true, never))
  expect(error).toBeInstanceOf(kind)
  expect(text).toBe(`agent at ${to.url}: command standby.sync: ${faultstring}`)
})

it('tells a refusal without words by its status', async () => {
  const { to, client } = await agent(answers(502, '<html>'))
  await expect(client.commands(to, never)).rejects.toThrow('list of commands: HTTP 502')
})

it.each([
  ['not JSON', 'hello'],
  ['of another shape', { commands: 'none' }],
  ['a command without a status', { commands: [{ ...result, command_status: 'DANCING' }] }],
])('a reply that is %s is the hardware’s fault, and says so', async (_, body) => {
  const { to, client } = await agent(answers(200, body))
  const { error, text } = await said(client.commands(to, never))
  expect(error).toBeInstanceOf(HardwareError)
  expect(text).toContain('its reply is not understood')
})

it('stops reading a reply that is too large', async () => {
  let sent = 0
  const { to, client } = await agent((_, reply) => {
    const chunk = Buffer.alloc(1 << 20, 0x20)
    const more = (): void => {
      while (!reply.destroyed && sent < 200) {
        sent += 1
        if (!reply.write(chunk)) {
          reply.once('drain', more)
          return
        }
      }
    }
    more()
  })
  await expect(client.commands(to, never)).rejects.toThrow('reply larger than 8388608 bytes')
  expect(sent).toBeLessThan(100)
})

it.each([
  ['silence', () => {}],
  ['a reply that never ends', (reply: { write(text: string): void }) => reply.write('{"commands":')],
])('%s ends at the deadline', async (_, behave) => {
  const server = await httpsServer((_asked, reply) => {
    behave(reply)
  })
  await expect(httpsAgentClient(300).commands({ ...server, token }, never)).rejects.toThrow(
    /no answer within 0.3 s|broke/,
  )
})

it('drips of a reply do not put the deadline off', async () => {
  const server = await httpsServer((_, reply) => {
    const drip = setInterval(() => (reply.destroyed ? clearInterval(drip) : reply.write(' ')), 50)
  })
  await expect(httpsAgentClient(400).commands({ ...server, token }, never)).rejects.toThrow()
})

it('says that nobody listens', async () => {
  const { to } = await agent(answers(200, {}))
  const nobody = { ...to, url: 'https://127.0.0.1:1' }
  await expect(httpsAgentClient(30_000).commands(nobody, never)).rejects.toThrow('ECONNREFUSED')
})

it('ends when it is told to', async () => {
  const stop = new AbortController()
  const { to, client } = await agent(() => stop.abort(new Error('superseded')))
  await expect(client.commands(to, stop.signal)).rejects.toThrow('abort')
})

it('never says the token', async () => {
  const lines: string[] = []
  for (const listener of [answers(401, { faultcode: 'Client', faultstring: 'no' }), answers(200, 'x')]) {
    const { to, client } = await agent(listener)
    const { error } = await said(client.commands(to, never))
    lines.push(error.stack ?? '', sentence(error), JSON.stringify(error))
  }
  expect(lines.join()).not.toContain(token)
  expect(lines.join()).not.toContain(encodeURIComponent(token))
})
