import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openLog } from './log-file.ts'

let dir: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'log-file-'))
})
afterEach(() => rmSync(dir, { recursive: true }))

const lines = (): Record<string, unknown>[] =>
  readFileSync(join(dir, 'log'), 'utf8')
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Record<string, unknown>)

test('a line is JSON of its level, time, facts and message, at every level the same way', async () => {
  const log = openLog('debug', join(dir, 'log'))
  const facts = { mac: '52:54:00:00:00:01', odd: 'a "b"\\\n\u0001ü', none: undefined, bytes: 5, list: [1] }
  for (const level of ['debug', 'info', 'warn', 'error'] as const) log[level](facts, 'said "so"')
  log.info({}, 'no facts')
  await expect.poll(lines, { timeout: 30_000 }).toHaveLength(5)
  const { none: _, ...told } = facts
  const time = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/) as string
  expect(lines()).toEqual([
    ...[20, 30, 40, 50].map((level) => ({ level, time, ...told, msg: 'said "so"' })),
    { level: 30, time, msg: 'no facts' },
  ])
  expect(lines().map((line) => Object.keys(line).join(' '))[1]).toBe('level time mac odd bytes list msg')
})

test('an error is told with its stack and cause, and what JSON has no words for is told as far as it can be', async () => {
  const log = openLog('info', join(dir, 'log'))
  const circle: Record<string, unknown> = { big: 5n }
  circle['itself'] = circle
  log.info({ err: new Error('torn', { cause: new Error('disk') }) }, 'an error')
  log.info({ circle }, 'a circle')
  await expect.poll(lines, { timeout: 30_000 }).toHaveLength(2)
  const [error, round] = lines()
  expect(error).toMatchObject({
    err: { type: 'Error', message: expect.stringContaining('torn') as string },
    msg: 'an error',
  })
  expect(JSON.stringify(error)).toContain('disk')
  expect(round).toMatchObject({ circle: { big: 5 }, msg: 'a circle' })
})

test('what is below the level is not written', async () => {
  const log = openLog('warn', join(dir, 'log'))
  log.info({}, 'not this')
  log.warn({}, 'this')
  await expect.poll(lines, { timeout: 30_000 }).toMatchObject([{ msg: 'this' }])
})
