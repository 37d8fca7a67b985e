import { expect, it } from 'vitest'
import { openProcessors } from './processors.ts'

function setUp() {
  const world = { now: 0, idle: 0, all: 0, looks: 0 }
  const processors = openProcessors(
    () => world.now,
    () => {
      world.looks += 1
      return { idle: world.idle, all: world.all }
    },
  )
  const pass = (milliseconds: number, idleShare: number): void => {
    world.now += milliseconds
    world.all += milliseconds * 2
    world.idle += milliseconds * 2 * idleShare
  }
  return { world, processors, pass }
}

it('processors are busy when nearly none of their time was idle', () => {
  const { processors, pass } = setUp()
  processors.areBusy()
  pass(250, 0.05)
  expect(processors.areBusy()).toBe(true)
  pass(250, 0.5)
  expect(processors.areBusy()).toBe(false)
})

it('they are looked at four times a second at most, however often that is asked', () => {
  const { world, processors, pass } = setUp()
  for (let times = 0; times < 1000; times += 1) {
    pass(1, 1)
    processors.areBusy()
  }
  expect(world.looks).toBe(4)
})

it('they count as busy at first, and when the last look was long ago', () => {
  const { processors, pass } = setUp()
  expect(processors.areBusy()).toBe(true)
  pass(500, 1)
  expect(processors.areBusy()).toBe(false)
  pass(60_000, 1)
  expect(processors.areBusy()).toBe(true)
  pass(300, 1)
  expect(processors.areBusy()).toBe(false)
})
