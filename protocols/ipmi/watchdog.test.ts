import { expect, test } from 'vitest'
import { setPower } from './chassis.ts'
import { paperSession } from './testing/paper-session.ts'
import { armWatchdog, readWatchdog } from './watchdog.ts'

test('an armed watchdog counts and resets the machine; one that is stopped does neither', async () => {
  const { session, clock, chassis } = await paperSession()
  await setPower(session, 'on')
  await armWatchdog(session, { running: true, action: 'reset', timeout: 12.5 })
  clock.pass(5000)
  expect(await readWatchdog(session)).toEqual({ running: true, action: 'reset', timeout: 12.5, remaining: 7.5 })
  await armWatchdog(session, { running: false, action: 'reset', timeout: 12.5 })
  await clock.run(new Promise<void>((resolve) => void clock.after(20_000, resolve)))
  expect([chassis.told, (await readWatchdog(session)).running]).toEqual([['on'], false])
  await armWatchdog(session, { running: true, action: 'reset', timeout: 12.5 })
  await clock.run(new Promise<void>((resolve) => void clock.after(13_000, resolve)))
  expect(chassis.told).toEqual(['on', 'reset'])
})
