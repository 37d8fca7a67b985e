import { expect, it } from 'vitest'
import { createLog } from '../log.ts'
import { ManualClock } from '../manual-clock.ts'
import { Heartbeats } from './heartbeats.ts'

function start(beat: () => Promise<void> = () => Promise.resolve()) {
  const clock = new ManualClock()
  const began = clock.now()
  const beats: number[] = []
  const heartbeats = new Heartbeats({
    clock,
    log: createLog(() => undefined, clock.now.bind(clock)),
    timeoutSeconds: 300,
    async beat() {
      beats.push((clock.now() - began) / 1000)
      await beat()
    },
  })
  return { clock, beats, heartbeats, ended: heartbeats.run() }
}

it('beats at once, then between 0.3 and 0.6 of the timeout', async () => {
  const { clock, beats, heartbeats, ended } = start()
  await clock.advance(300_000)
  expect(beats).toEqual([0, 135, 270])
  heartbeats.stop()
  await ended
})

it('beats early when something has ended, yet not within five seconds of the last beat', async () => {
  const { clock, beats, heartbeats, ended } = start()
  await clock.advance(60_000)
  heartbeats.early()
  await clock.advance(1000)
  heartbeats.early()
  heartbeats.early()
  await clock.advance(10_000)
  expect(beats).toEqual([0, 60, 65])
  heartbeats.stop()
  await ended
})

it('tries again within ten seconds of a failure', async () => {
  const { clock, beats, heartbeats, ended } = start(() => Promise.reject(new Error('409')))
  await clock.advance(16_000)
  expect(beats).toEqual([0, 7.5, 15])
  heartbeats.stop()
  await ended
})
