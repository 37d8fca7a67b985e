import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, it, onTestFinished } from 'vitest'
import { selfSigned } from '../certificates.ts'
import { imagesListener } from './listener.ts'
import { imageServer } from './server.ts'

/** Enough to be sent by a thread where nothing has to be encrypted. */
const image = randomBytes(3 * 1024 * 1024)

async function setUp() {
  const dir = mkdtempSync(join(tmpdir(), 'images-listener-'))
  onTestFinished(() => rmSync(dir, { recursive: true }))
  const pem = await selfSigned('127.0.0.1', new Date())
  writeFileSync(join(dir, 'image'), image)
  writeFileSync(join(dir, 'ca.pem'), pem.certificate)
  const images = imageServer({
    secret: 'secret',
    isOpen: () => true,
    path: () => join(dir, 'image'),
    chunked: async (_plan, _path, _request, reply) => void reply.writeHead(404).end(),
  })
  const server = imagesListener(images.listener, pem)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    server.close()
    server.closeAllConnections()
  })
  const { port } = server.address() as AddressInfo
  const curl = async (...args: string[]): Promise<{ stdout: Buffer; stderr: Buffer }> =>
    promisify(execFile)('curl', ['--silent', '--show-error', '--fail', '--cacert', join(dir, 'ca.pem'), ...args], {
      encoding: 'buffer',
      maxBuffer: 2 * image.length,
    })
  return { url: `https://127.0.0.1:${port}${images.pathOf('plan', 'image')}`, port, curl }
}

it('gives images by TLS, whole and in ranges, over one connection', async () => {
  const { url, curl } = await setUp()
  expect((await curl(url)).stdout.equals(image)).toBe(true)
  const { stdout, stderr } = await curl(
    '--verbose',
    '--range',
    '1000-1999',
    url,
    '--next',
    '--silent',
    '-k',
    '-r',
    '-5',
    url,
  )
  expect(stdout.equals(Buffer.concat([image.subarray(1000, 2000), image.subarray(-5)]))).toBe(true)
  expect(stderr.toString()).toMatch(/206/)
  const twice = await curl(
    '--write-out',
    '%{num_connects}\n',
    '-r',
    '0-0',
    '-o',
    '/dev/null',
    '-o',
    '/dev/null',
    url,
    url,
  )
  expect(twice.stdout.toString()).toBe('1\n0\n')
  await expect(curl('-r', '999999999-', url)).rejects.toThrow(/416/)
})

it('then gives nothing to who speaks plain HTTP', async () => {
  const { port } = await setUp()
  const asked = request({ port, host: '127.0.0.1', path: '/' })
  const ended = new Promise((resolve, reject) => void asked.on('response', resolve).on('error', reject))
  asked.end()
  await expect(ended).rejects.toThrow()
})
