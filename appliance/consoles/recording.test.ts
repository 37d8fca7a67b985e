import { appendFileSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Recorded } from '../../contract/console.ts'
import { openRecordings } from './recording.ts'

const node = '1be26c0b-03f2-4d2e-ae87-c02d7f33c123'
const other = '00000000-0000-4000-8000-000000000001'
const entry = (text: string): Recorded => ['2026-11-23T12:00:00.000Z', 'o', text]
const texts = (log: string): string[] =>
  log
    .split('\n')
    .filter(Boolean)
    .map((line) => (JSON.parse(line) as Recorded)[2])

let dir: string
beforeEach(() => (dir = mkdtempSync(join(tmpdir(), 'recording-'))))
afterEach(() => rmSync(dir, { recursive: true }))

test('what was recorded reads back in order, in this life and the next, and only its owner can read it', () => {
  const recordings = openRecordings(join(dir, 'consoles'))
  recordings.append(node, [entry('a'), entry('b\r\n')])
  recordings.append(node, [entry('c')])
  const next = openRecordings(join(dir, 'consoles'))
  next.append(node, [entry('d')])
  expect(texts(next.read(node))).toEqual(['a', 'b\r\n', 'c', 'd'])
  expect(next.read(other)).toBe('')
  expect(statSync(join(dir, 'consoles')).mode & 0o777).toBe(0o700)
  for (const name of readdirSync(join(dir, 'consoles')))
    expect(statSync(join(dir, 'consoles', name)).mode & 0o777).toBe(0o600)
})

test('a line that a power cut left half is left out, and the next one is whole', () => {
  openRecordings(dir).append(node, [entry('a')])
  appendFileSync(join(dir, `${node}.log`), '["2026-11-23T12:00:01.000Z","o","hal')
  const recordings = openRecordings(dir)
  recordings.append(node, [entry('b')])
  expect(texts(recordings.read(node))).toEqual(['a', 'b'])
})

test('a node has two files at most; the older lines go', () => {
  const recordings = openRecordings(dir, { fileBytes: 1000, siteBytes: 1_000_000 })
  for (let n = 0; n < 200; n += 1) recordings.append(node, [entry(`${'ü€'.repeat(30)} line ${n}`)])
  const left = texts(recordings.read(node))
  expect(left.at(-1)).toMatch(/ line 199$/)
  expect(left.length).toBeGreaterThan(4)
  expect(readdirSync(dir)).toHaveLength(2)
  for (const name of readdirSync(dir)) expect(statSync(join(dir, name)).size).toBeLessThanOrEqual(1000)
})

test('a site has so many bytes in all: consoles that said nothing for longest lose theirs', () => {
  const recordings = openRecordings(dir, { fileBytes: 600, siteBytes: 2000 })
  const nodes = Array.from({ length: 8 }, (_, n) => `00000000-0000-4000-8000-00000000000${n}`)
  for (const each of nodes) for (let n = 0; n < 10; n += 1) recordings.append(each, [entry(`line ${n}`)])
  const whole = readdirSync(dir).reduce((sum, name) => sum + statSync(join(dir, name)).size, 0)
  expect(whole).toBeLessThanOrEqual(2000)
  expect(texts(recordings.read(nodes.at(-1)!)).at(-1)).toBe('line 9')
  recordings.forget(nodes.at(-1)!)
  expect(recordings.read(nodes.at(-1)!)).toBe('')
})
