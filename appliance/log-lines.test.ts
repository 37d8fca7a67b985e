import { execFileSync } from 'node:child_process'
import { closeSync, constants, mkdtempSync, openSync, readFileSync, readSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { gatheredLines } from './log-lines.ts'

let dir: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'log-lines-'))
})
afterEach(() => rmSync(dir, { recursive: true }))

function file(): { fd: number; read: () => string } {
  const path = join(dir, 'log')
  return { fd: openSync(path, 'a'), read: () => readFileSync(path, 'utf8') }
}

test('lines arrive in order, soon after they were said and without being asked for', async () => {
  const { fd, read } = file()
  const lines = gatheredLines(fd)
  const said = Array.from({ length: 5_000 }, (_, index) => `line ${index} ü\n`)
  for (const line of said) lines.write(line)
  await expect.poll(read).toBe(said.join(''))
  lines.write('and one more\n')
  await expect.poll(read).toBe(`${said.join('')}and one more\n`)
  closeSync(fd)
})

test('what is gathered is written at once when the process ends', () => {
  const { fd, read } = file()
  const lines = gatheredLines(fd)
  lines.write('last words\n')
  lines.flushSync()
  expect(read()).toBe('last words\n')
  closeSync(fd)
})

test('while nothing can be written, memory is bounded, and what was lost is counted', async () => {
  const path = join(dir, 'pipe')
  execFileSync('mkfifo', [path])
  const fd = openSync(path, constants.O_RDWR | constants.O_NONBLOCK)
  const lines = gatheredLines(fd, 200_000)
  const line = `${'x'.repeat(99)}\n`
  for (let said = 0; said < 4_000; said += 1) lines.write(line)
  let read = ''
  const take = (): string => {
    const buffer = Buffer.alloc(65_536)
    try {
      read += buffer.toString('latin1', 0, readSync(fd, buffer))
    } catch {
      // Nothing is there yet.
    }
    return read
  }
  await expect.poll(() => take().length, { interval: 5, timeout: 30_000 }).toBeGreaterThan(190_000)
  lines.write('the end\n')
  await expect.poll(take, { interval: 5, timeout: 30_000 }).toMatch(/the end\n$/)
  const lost = Number(/"(\d+) lines before this one were lost/.exec(read)?.[1])
  expect(lost).toBeGreaterThan(1_300) // beside what may gather, one write is under way
  expect(read.split(line).length - 1 + lost).toBe(4_000)
  closeSync(fd)
})
