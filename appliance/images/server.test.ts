import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { temporaryFolder } from '../testing/temporary-folder.ts'
import { imageServer } from './server.ts'

const bytes = Buffer.from('0123456789')

async function setUp() {
  const dir = temporaryFolder()
  writeFileSync(join(dir, 'sha256-abc'), bytes)
  writeFileSync(join(dir, 'other'), 'other')
  const open = new Set(['plan-1'])
  const images = imageServer({
    secret: 'secret',
    isOpen: (plan) => {
      if (plan === 'plan-broken') throw new Error('the ledger is closed')
      return open.has(plan)
    },
    path: (file) => join(dir, file),
    chunked: async (_plan, path, _request, reply) => void reply.end(path.join(' ')),
  })
  const server = createServer(images.listener)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return { images, open, base, port: (server.address() as AddressInfo).port }
}

it('serves a file to who has its code while the plan is open', async () => {
  const { images, open, base } = await setUp()
  const url = base + images.pathOf('plan-1', 'sha256-abc')
  const reply = await fetch(url)
  expect([reply.status, await reply.text()]).toEqual([200, '0123456789'])
  open.delete('plan-1')
  expect((await fetch(url)).status).toBe(403)
})

it('serves ranges, so that a broken transfer goes on', async () => {
  const { images, base } = await setUp()
  const url = base + images.pathOf('plan-1', 'sha256-abc')
  const part = await fetch(url, { headers: { range: 'bytes=4-' } })
  expect([part.status, part.headers.get('content-range'), await part.text()]).toEqual([206, 'bytes 4-9/10', '456789'])
  expect((await fetch(url, { headers: { range: 'bytes=10-' } })).status).toBe(416)
})

it('tells the size to who asks for nothing more', async () => {
  const { images, base } = await setUp()
  const reply = await fetch(base + images.pathOf('plan-1', 'sha256-abc'), { method: 'HEAD' })
  expect([reply.status, reply.headers.get('content-length')]).toEqual([200, '10'])
})

it('knows no file by another’s code, no other plan’s, and no secret’s but its own', async () => {
  const { images, base } = await setUp()
  const path = images.pathOf('plan-1', 'sha256-abc')
  const [, , , code] = path.split('/')
  const stranger = imageServer({ secret: 'another', isOpen: () => true, chunked: async () => {}, path: (file) => file })
  const tried = [
    `/images/plan-1/${code}/other`,
    `/images/plan-2/${code}/sha256-abc`,
    `/images/plan-1/${code!.slice(1)}A/sha256-abc`,
    '/images/plan-1//sha256-abc',
    stranger.pathOf('plan-1', 'sha256-abc'),
    '/',
    '/images',
  ]
  for (const each of tried) expect((await fetch(base + each)).status, each).toBe(404)
})

it('is not led out of its folder', async () => {
  const { images, port } = await setUp()
  const [, , , code] = images.pathOf('plan-1', 'sha256-abc').split('/')
  for (const path of [
    `/images/plan-1/${code}/../../../etc/passwd`,
    `/images/plan-1/${code}/%2e%2e%2fother`,
    '//',
    '*',
  ]) {
    const asked = request({ port, host: '127.0.0.1', path })
    asked.end()
    const [reply] = (await once(asked, 'response')) as [{ statusCode: number; resume(): void }]
    reply.resume()
    expect(reply.statusCode, path).toBe(404)
  }
})

it('is for reading only', async () => {
  const { images, base } = await setUp()
  const url = base + images.pathOf('plan-1', 'sha256-abc')
  for (const method of ['PUT', 'POST', 'DELETE']) expect((await fetch(url, { method })).status).toBe(405)
})

it('answers also when something fails', async () => {
  const { images, base } = await setUp()
  expect((await fetch(base + images.pathOf('plan-broken', 'sha256-abc'))).status).toBe(404)
  expect((await fetch(base + images.pathOf('plan-1', 'sha256-gone'))).status).toBe(404)
})
