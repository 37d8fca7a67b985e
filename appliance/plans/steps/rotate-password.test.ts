import { expect, it } from 'vitest'
import type { BmcPassword } from '../../drivers/bmc.ts'
import { HardwareError } from '../../hardware-error.ts'
import { ManualClock } from '../../testing/manual-clock.ts'
import { machine, plan, step } from '../../testing/plans.ts'
import { stepContext } from '../../testing/step-context.ts'
import type { StepContext } from '../step.ts'
import { rotateBmcPassword } from './rotate-password.ts'

const silence = new HardwareError('the BMC does not answer')

/** A BMC that has the password `now`, as far as it answers. */
function bench(
  bmc: { now: string; set?: BmcPassword['set']; works?: BmcPassword['works'] },
  memo = new Map<string, string>(),
) {
  const clock = new ManualClock()
  const password: BmcPassword = {
    key: 'ipmi_password',
    room: undefined,
    set: bmc.set ?? (async (text) => void (bmc.now = text)),
    works: bmc.works ?? (async (text) => bmc.now === text),
  }
  const stopped = new AbortController()
  const { on } = stepContext(plan(machine(), 1, [step('management.rotate_bmc_password')]), clock, stopped.signal, memo)
  const rotated: unknown[] = []
  Object.assign(on, {
    deadline: new Date(clock.now().getTime() + 300_000),
    bmc: async () => ({ more: { password } }),
    secrets: {
      fresh: () => 'fresh',
      seal: (_key: string, text: string) => text,
      open: (_key: string, value: unknown) => value,
      present: () => 'old',
    },
    rotated: (...each: unknown[]) => void rotated.push(each),
  } as unknown as Partial<StepContext>)
  return { on, clock, rotated, memo, run: async () => rotateBmcPassword({}, on) }
}

it('a BMC whose answer to the change is lost has the new password, and so have we', async () => {
  const known: unknown[] = []
  const bmc = {
    now: 'old',
    set: async (text: string) => {
      // What dies here must know it when it comes back.
      known.push(memo.get('password'))
      bmc.now = text
      throw silence
    },
  }
  const { run, rotated, memo } = bench(bmc)
  await run()
  expect([known, bmc.now, rotated]).toEqual([['"fresh"'], 'fresh', [['ipmi_password', 'fresh']]])
})

it('a BMC that refuses the change keeps the old one, and its refusal is told', async () => {
  const bmc = { now: 'old', set: () => Promise.reject(new HardwareError('it wants 8 characters')) }
  const { run, rotated } = bench(bmc)
  await expect(run()).rejects.toThrow('it wants 8 characters')
  expect([bmc.now, rotated]).toEqual(['old', []])
})

it('after a power cut the BMC, which starts longer, is waited for: it alone knows whether it took the new one', async () => {
  let answers = false
  const asked: string[] = []
  const bmc = {
    now: 'fresh',
    works: async (text: string) => {
      asked.push(text)
      if (!answers) throw silence
      return text === bmc.now
    },
    set: () => Promise.reject(new Error('nothing is to be set')),
  }
  const { run, clock, rotated } = bench(bmc, new Map([['password', '"fresh"']]))
  const done = run()
  await clock.advance(120_000)
  expect([asked.length > 1, rotated]).toEqual([true, []])
  answers = true
  await clock.advance(10_000)
  await done
  expect(rotated).toEqual([['ipmi_password', 'fresh']])
})

it('a BMC that can not be asked until the end is told as that', async () => {
  const { run, clock } = bench({ now: 'old', works: () => Promise.reject(silence) }, new Map([['password', '"fresh"']]))
  const failed = expect(run()).rejects.toThrow('the BMC does not answer')
  await clock.advance(301_000)
  await failed
})

it('where no session is to be had with the new one for half of the time, the old one is put back', async () => {
  const bmc = { now: 'old', works: () => Promise.reject(silence) }
  const { run, clock, rotated } = bench(bmc)
  const failed = expect(run()).rejects.toThrow(/the BMC does not answer; the old one is in force again/)
  await clock.advance(160_000)
  await failed
  expect([bmc.now, rotated]).toEqual(['old', []])
})
