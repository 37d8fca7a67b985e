import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { ManualClock } from '../testing/manual-clock.ts'
import { memoryLog } from '../testing/memory-log.ts'
import { machine, plan } from '../testing/plans.ts'
import type { StepContext } from '../plans/step.ts'
import { openDeployLogs } from './deploy-logs.ts'

let dir: string
let clock: ManualClock
const of = plan(machine(), 1, [])
const never = new AbortController().signal
beforeEach(() => {
  dir = join(mkdtempSync(join(tmpdir(), 'logs-')), 'deploy-logs')
  clock = new ManualClock()
})
afterEach(() => rmSync(join(dir, '..'), { recursive: true, force: true }))

function context(call: (on: StepContext) => Promise<unknown>, isUp = true): StepContext {
  return { plan: of, clock, agents: { isUp: () => isUp, call } } as unknown as StepContext
}
let told = 0
const more = { uuid: () => '0000000c-0000-4000-8000-000000000001', kept: () => void (told += 1) }
const archive = { system_logs: Buffer.from('logs').toString('base64') }
const files = () => readdirSync(dir).sort()

it('keeps what the agent sends, for nobody else to read, and no more than so many', async () => {
  const log = memoryLog()
  const logs = openDeployLogs({ dir, when: 'on_failure', most: 2, ...more, log })
  for (let nth = 0; nth < 3; nth += 1) {
    await logs.keep(
      context(async () => archive),
      never,
    )
    await clock.advance(1000)
  }
  expect(files()).toHaveLength(2)
  const newest = join(dir, files()[1]!)
  expect(newest).toContain(`${of.node}_${of.kind}_${more.uuid()}.tar.gz`)
  expect(told).toBe(3)
  expect(readFileSync(newest, 'utf8')).toBe('logs')
  expect(statSync(newest).mode & 0o777).toBe(0o600)
  expect(log.lines.at(-1)?.facts).toMatchObject({ file: newest })
})

it('asks nobody where no agent runs', async () => {
  let asked = 0
  const logs = openDeployLogs({ dir, when: 'always', most: 2, ...more, log: memoryLog() })
  await logs.keep(
    context(async () => (asked += 1), false),
    never,
  )
  expect(asked).toBe(0)
})

it.each([
  ['refuses', async () => Promise.reject(new Error('no such command'))],
  ['answers nonsense', async () => ({ system_logs: 'not base64!' })],
  [
    'does not answer',
    (on: StepContext) =>
      new Promise((_, reject) => on.signal.addEventListener('abort', () => reject(on.signal.reason as Error))),
  ],
])('goes on where the agent %s', async (_, call) => {
  const log = memoryLog()
  const kept = openDeployLogs({ dir, when: 'on_failure', most: 2, ...more, log }).keep(context(call), never)
  await clock.advance(31_000)
  await kept
  expect(log.lines).toMatchObject([{ level: 'warn' }])
})
