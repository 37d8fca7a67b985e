import { expect, it } from 'vitest'
import { HardwareError } from '../hardware-error.ts'
import { ManualClock } from '../testing/manual-clock.ts'
import type { PowerTarget } from '../../contract/resources.ts'
import type { Bmc, PowerAction } from '../drivers/bmc.ts'
import { type PowerRules, setPower } from './change.ts'

/** A chassis that obeys after a while; `obeys` says which of its commands it takes notice of. */
function chassis(clock: ManualClock, options: { on: boolean; after?: number; obeys?: (nth: number) => boolean }) {
  let on = options.on
  const commands: { action: PowerAction; second: number }[] = []
  const began = clock.now().getTime()
  const bmc = {
    power: () => Promise.resolve(on ? ('power on' as const) : ('power off' as const)),
    control(action: PowerAction) {
      commands.push({ action, second: (clock.now().getTime() - began) / 1000 })
      if (options.obeys?.(commands.length) ?? true)
        void clock.sleep(options.after ?? 3000).then(() => (on = action === 'on'))
      return Promise.resolve()
    },
  } as Bmc
  return { bmc, commands }
}

const usual: PowerRules = { changeMs: 60_000, hardAfterSoft: false, staysOn: false, turn: () => Promise.resolve() }
const note = (): void => {}

async function reach(
  bmc: Bmc,
  clock: ManualClock,
  target: PowerTarget,
  { timeout = null, ...rules }: { timeout?: number | null } & Partial<PowerRules> = {},
) {
  const stop = new AbortController()
  const began = clock.now().getTime()
  const result = setPower(bmc, target, {
    clock,
    signal: stop.signal,
    note,
    timeout,
    rules: { ...usual, ...rules },
  }).then(
    (state) => ({ state, seconds: (clock.now().getTime() - began) / 1000 }),
    (error: Error) => ({ error, seconds: (clock.now().getTime() - began) / 1000 }),
  )
  await clock.advance(1_000_000)
  return result
}

it('sees that the machine gets there', async () => {
  const clock = new ManualClock()
  const { bmc, commands } = chassis(clock, { on: false })
  expect(await reach(bmc, clock, 'power on')).toMatchObject({ state: 'power on', seconds: 3 })
  expect(commands).toEqual([{ action: 'on', second: 0 }])
})

it('commands nothing where the machine is there already', async () => {
  const clock = new ManualClock()
  const { bmc, commands } = chassis(clock, { on: false })
  expect(await reach(bmc, clock, 'power off')).toMatchObject({ state: 'power off', seconds: 0 })
  expect(commands).toEqual([])
})

it('commands again what a busy BMC swallowed', async () => {
  const clock = new ManualClock()
  const { bmc, commands } = chassis(clock, { on: true, obeys: (nth) => nth > 1 })
  expect(await reach(bmc, clock, 'power off')).toMatchObject({ state: 'power off' })
  expect(commands.map(({ action }) => action)).toEqual(['off', 'off'])
  expect(commands[1]!.second).toBeGreaterThan(15)
})

it('says what the BMC did not report when the machine never gets there', async () => {
  const clock = new ManualClock()
  const { bmc } = chassis(clock, { on: true, obeys: () => false })
  const end = await reach(bmc, clock, 'power off')
  expect(end).toMatchObject({ seconds: 60 })
  expect((end as { error: Error }).error).toBeInstanceOf(HardwareError)
  expect((end as { error: Error }).error.message).toBe(
    'the BMC accepted "off", but did not report "power off" within 60 s',
  )
})

it('asks an operating system to end once, and gives it ten minutes', async () => {
  const clock = new ManualClock()
  const { bmc, commands } = chassis(clock, { on: true, obeys: () => false })
  expect(await reach(bmc, clock, 'soft power off')).toMatchObject({ seconds: 600 })
  expect(commands).toEqual([{ action: 'soft', second: 0 }])
})

it('gives it the time that people name', async () => {
  const clock = new ManualClock()
  const { bmc } = chassis(clock, { on: true, obeys: () => false })
  expect(await reach(bmc, clock, 'soft power off', { timeout: 5 })).toMatchObject({
    seconds: 5,
    error: { message: 'the BMC accepted "soft", but did not report "power off" within 5 s' },
  })
})

it('reboots by off and on, and only switches on what is off', async () => {
  const clock = new ManualClock()
  const running = chassis(clock, { on: true })
  expect(await reach(running.bmc, clock, 'rebooting')).toMatchObject({ state: 'power on' })
  expect(running.commands.map(({ action }) => action)).toEqual(['off', 'on'])
  const soft = chassis(clock, { on: true })
  expect(await reach(soft.bmc, clock, 'soft rebooting')).toMatchObject({ state: 'power on' })
  expect(soft.commands.map(({ action }) => action)).toEqual(['soft', 'on'])
  const off = chassis(clock, { on: false })
  expect(await reach(off.bmc, clock, 'rebooting')).toMatchObject({ state: 'power on' })
  expect(off.commands.map(({ action }) => action)).toEqual(['on'])
})

it('ends as soon as it is told to stop', async () => {
  const clock = new ManualClock()
  const { bmc } = chassis(clock, { on: true, obeys: () => false })
  const stop = new AbortController()
  const work = setPower(bmc, 'power off', { clock, signal: stop.signal, note, timeout: null, rules: usual })
  const ended = expect(work).rejects.toThrow('superseded')
  await clock.advance(5000)
  stop.abort(new Error('superseded'))
  await ended
})

it('asks again where the BMC gives no answer on the way, and says its error only when it is the last word', async () => {
  const clock = new ManualClock()
  const { bmc } = chassis(clock, { on: false, after: 5000 })
  let asked = 0
  const shaky: Bmc = {
    ...bmc,
    power: () => {
      asked += 1
      return asked === 2 || asked === 3 ? Promise.reject(new HardwareError('no answer within 20 s')) : bmc.power()
    },
  }
  expect(await reach(shaky, clock, 'power on')).toMatchObject({ state: 'power on' })
  const gone: Bmc = { ...bmc, power: () => (++asked > 100 ? Promise.reject(new HardwareError('gone')) : bmc.power()) }
  asked = 99
  expect(await reach(gone, clock, 'power off', { changeMs: 5000 })).toMatchObject({
    error: { message: 'the BMC accepted "off", but did not report "power off" within 5 s; at last: gone' },
  })
})

it('switches off what does not end by itself in time, where the site wants that', async () => {
  const clock = new ManualClock()
  const { bmc, commands } = chassis(clock, { on: true, obeys: (nth) => nth > 1 })
  expect(await reach(bmc, clock, 'soft power off', { timeout: 30, hardAfterSoft: true })).toMatchObject({
    state: 'power off',
    seconds: 33,
  })
  expect(commands.map(({ action }) => action)).toEqual(['soft', 'off'])
})

it.each(['power off', 'soft power off'] as const)('never does %s to a machine that stays on', async (target) => {
  const clock = new ManualClock()
  const { bmc, commands } = chassis(clock, { on: true })
  const { error } = (await reach(bmc, clock, target, { staysOn: true })) as { error: Error }
  expect(error.message).toContain('disable_power_off')
  expect(commands).toEqual([])
})

it.each(['rebooting', 'soft rebooting'] as const)('does %s by a reset to a machine that stays on', async (target) => {
  const clock = new ManualClock()
  const commands: PowerAction[] = []
  const bmc = {
    power: () => Promise.resolve('power on' as const),
    control: (action: PowerAction) => Promise.resolve(void commands.push(action)),
  } as Bmc
  expect(await reach(bmc, clock, target, { staysOn: true })).toMatchObject({ state: 'power on' })
  expect(commands).toEqual(['reset'])
})

it('switches nothing on before its turn, nor after it was told to stop meanwhile', async () => {
  const clock = new ManualClock()
  const first = chassis(clock, { on: false })
  const turn: PowerRules['turn'] = (signal) => clock.sleep(10_000, signal)
  expect(await reach(first.bmc, clock, 'power on', { turn })).toMatchObject({ state: 'power on', seconds: 13 })
  const second = chassis(clock, { on: false })
  const stop = new AbortController()
  const rules = { ...usual, turn }
  const ended = expect(
    setPower(second.bmc, 'power on', { clock, signal: stop.signal, note, timeout: null, rules }),
  ).rejects.toThrow('superseded')
  await clock.advance(5000)
  stop.abort(new Error('superseded'))
  await clock.advance(60_000)
  await ended
  expect(second.commands).toEqual([])
})
