import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Outcome } from './sending.ts'
import { startTftpServer, type TftpServer } from './server.ts'
import { fileOf } from './source.ts'

/** What this test uses of the npm package `tftp`, which has no types. */
interface NpmTftp {
  createClient(options: { host: string; port: number; blockSize?: number; windowSize?: number }): {
    get(remote: string, local: string, callback: (error: Error | null) => void): void
  }
}
const npmTftp = createRequire(import.meta.url)('tftp') as NpmTftp

const MIB = 1_048_576
const content = Buffer.from(Uint8Array.from({ length: 4 * MIB }, (_, index) => (index * 131 + (index >> 9)) & 0xff))
/** 33.6 MiB: in blocks of 512 bytes more than 65,535 of them. */
const large = Buffer.concat(Array.from({ length: 9 }, () => content)).subarray(0, 68_777 * 512 + 3)
const run = promisify(execFile)
let directory: string
let local: string
let server: TftpServer
let outcomes: Outcome[]

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'tftp-'))
  local = join(directory, 'got')
  outcomes = []
  server = await startTftpServer({
    host: '127.0.0.1',
    port: 0,
    source: (name) => Promise.resolve(name === 'file' ? fileOf(content) : name === 'large' ? fileOf(large) : undefined),
    onOutcome: (outcome) => outcomes.push(outcome),
    onError: (error) => {
      throw error
    },
  })
})
afterEach(async () => {
  await server.stop()
  rmSync(directory, { recursive: true })
})

async function arrivedWhole(): Promise<void> {
  expect(readFileSync(local).equals(content)).toBe(true)
  await expect.poll(() => outcomes.map(({ result }) => result)).toEqual(['complete'])
  // A client that got no processor for a second is sent a window again; one that is sent each block twice is answered wrongly.
  expect(outcomes[0]?.repeated).toBeLessThan(content.length / 1_428 / 2)
}

test.each([512, 1_428])('curl at blksize %i', async (blksize) => {
  const url = `tftp://127.0.0.1:${server.port}/file`
  await run('curl', ['-sS', '--max-time', '120', '--tftp-blksize', String(blksize), '-o', local, url])
  await arrivedWhole()
})

test('tftp-hpa', async () => {
  const command = ['-m', 'octet', '127.0.0.1', String(server.port), '-c', 'get', 'file', local]
  await run('tftp', command, { timeout: 120_000 })
  await arrivedWhole()
})

test.each([
  ['512', '1'],
  ['1428', '1'],
  ['1428', '16'],
])('atftp at blksize %s and windowsize %s', async (blksize, windowsize) => {
  const options = ['--option', `blksize ${blksize}`, '--option', `windowsize ${windowsize}`]
  const command = [...options, '--get', '-r', 'file', '-l', local, '127.0.0.1', String(server.port)]
  await run('atftp', command, { timeout: 120_000 })
  await arrivedWhole()
})

test.each([
  [
    'atftp',
    () => [
      ...'--option,blksize 512,--option,windowsize 32,--get,-r,large,-l'.split(','),
      local,
      '127.0.0.1',
      String(server.port),
    ],
  ],
  ['curl', () => ['-sS', '--max-time', '120', '-o', local, `tftp://127.0.0.1:${server.port}/large`]],
])('%s gets a file of over 32 MiB, whose block numbers begin again at 0', async (program, argv) => {
  await run(program, argv(), { timeout: 120_000 })
  expect(readFileSync(local).equals(large)).toBe(true)
})

test.each([1, 4])("the npm package's client at windowsize %i", async (windowSize) => {
  const client = npmTftp.createClient({ host: '127.0.0.1', port: server.port, blockSize: 1_428, windowSize })
  await new Promise<void>((resolve, reject) => {
    client.get('file', local, (error) => (error === null || error === undefined ? resolve() : reject(error)))
  })
  await arrivedWhole()
})

test('curl ends with its code 68, not found, where there is no such file', async () => {
  const url = `tftp://127.0.0.1:${server.port}/none`
  await expect(run('curl', ['-sS', '--max-time', '120', '-o', local, url])).rejects.toMatchObject({ code: 68 })
})
