import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { NewReport } from '../ledger/outbox.ts'
import { ManualClock } from '../testing/manual-clock.ts'
import { memoryLog } from '../testing/memory-log.ts'
import { archiveName, type LogUploads, startLogUploads } from './log-uploads.ts'

const node = '00000001-0000-4000-8000-000000000001'
const ids = ['0000000c-0000-4000-8000-000000000001', '0000000c-0000-4000-8000-000000000002'] as const
let dir: string
let clock: ManualClock
let told: string[]
let delivered: string[]
let refuse: boolean
let uploads: LogUploads | undefined

beforeEach(() => {
  dir = join(mkdtempSync(join(tmpdir(), 'uploads-')), 'deploy-logs')
  mkdirSync(dir)
  clock = new ManualClock()
  ;[told, delivered, refuse, uploads] = [[], [], false, undefined]
})
afterEach(async () => {
  await uploads?.stop()
  rmSync(join(dir, '..'), { recursive: true, force: true })
})

const collected = (ageMs = 0) => new Date(clock.now().getTime() - ageMs)
const put = (id: string, ageMs = 0) =>
  writeFileSync(join(dir, archiveName({ collected: collected(ageMs), node, operation: 'deploy', id })), 'logs')
const start = () =>
  (uploads = startLogUploads({
    dir,
    clock,
    log: memoryLog(),
    outbox: {
      append: (report: NewReport) => void (report.kind === 'deploy_log' && told.push(`${report.phase} ${report.log}`)),
    },
    deliveries: {
      async deliver({ id, path }, announce) {
        announce()
        if (refuse) throw new Error('no place')
        delivered.push(`${id} ${path.endsWith(`_${id}.tar.gz`)}`)
      },
    },
  }))
const sent = () => expect.poll(() => readdirSync(dir).filter((name) => name.endsWith('.sent.tar.gz')).length, LATER)
const LATER = { timeout: 30_000 }

it('brings what is there at its start and what comes later to the cloud, each once', async () => {
  put(ids[0])
  const running = start()
  await sent().toBe(1)
  put(ids[1])
  running.wake()
  await sent().toBe(2)
  await running.stop()
  start()
  await clock.advance(600_000)
  expect(told).toEqual([`ready ${ids[0]}`, `stored ${ids[0]}`, `ready ${ids[1]}`, `stored ${ids[1]}`])
  expect(delivered).toEqual([`${ids[0]} true`, `${ids[1]} true`])
})

it('tries again after a while what the cloud did not take, and leaves alone what is old or no archive', async () => {
  refuse = true
  put(ids[0])
  put(ids[1], 8 * 86_400_000)
  writeFileSync(join(dir, 'notes.txt'), 'mine')
  start()
  await expect.poll(() => told, LATER).toEqual([`ready ${ids[0]}`])
  refuse = false
  await expect
    .poll(async () => {
      await clock.advance(600_000)
      return delivered
    }, LATER)
    .toEqual([`${ids[0]} true`])
  expect(told.join()).not.toContain(ids[1])
})
