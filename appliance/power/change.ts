import type { PowerTarget } from '../../contract/resources.ts'
import { poll, type Clock } from '../clock.ts'
import type { Bmc } from '../drivers/bmc.ts'
import { HardwareError, sentence } from '../hardware-error.ts'

const SOFT_MS = 600_000 // Ironic: soft_power_off_timeout; the cloud says another
const POLL_MS = 1000
/** Some BMCs swallow a command given while they are busy. */
const AGAIN_MS = 15_000

/** `note` hears what is waited for. */
export type Turn = (signal: AbortSignal, note: (text: string) => void) => Promise<void>

/** How power is changed at this site, of one machine. */
export interface PowerRules {
  changeMs: number
  hardAfterSoft: boolean
  /** It must never be off. */
  staysOn: boolean
  /** Resolves when it may be switched on beside its neighbours. */
  turn: Turn
}

export interface PowerWait {
  clock: Clock
  signal: AbortSignal
  note(text: string): void
  rules: PowerRules
  /** Seconds; by default as Ironic. */
  timeout: number | null
}

type State = 'power on' | 'power off'

/** Brings the machine to `target` and sees that it got there. Doing it twice is doing it once, but for reboots. */
export async function setPower(bmc: Bmc, target: PowerTarget, wait: PowerWait): Promise<State> {
  const again = { ...wait, timeout: null }
  switch (target) {
    case 'power on':
      return reach(bmc, 'on', wait)
    case 'power off':
      return reach(bmc, 'off', wait)
    case 'soft power off':
      return softOff(bmc, wait)
    case 'rebooting':
      if (wait.rules.staysOn) return restart(bmc, wait)
      await reach(bmc, 'off', wait)
      return reach(bmc, 'on', again)
    case 'soft rebooting':
      if (wait.rules.staysOn) return restart(bmc, wait)
      await softOff(bmc, wait)
      return reach(bmc, 'on', again)
  }
}

/** Without having been off; one that is off is switched on. `done`: the BMC took the command. */
export async function restart(bmc: Bmc, wait: PowerWait, done = (): void => {}): Promise<State> {
  if ((await bmc.power()) === 'power off') return reach(bmc, 'on', wait)
  await bmc.control('reset')
  done()
  return arrive(bmc, 'reset', wait.rules.changeMs, wait)
}

async function softOff(bmc: Bmc, wait: PowerWait): Promise<State> {
  try {
    return await reach(bmc, 'soft', wait)
  } catch (error) {
    if (!wait.rules.hardAfterSoft || !(error instanceof HardwareError)) throw error
    return reach(bmc, 'off', { ...wait, timeout: null })
  }
}

const ends = { on: 'power on', reset: 'power on', off: 'power off', soft: 'power off' } as const
type Action = keyof typeof ends

async function reach(bmc: Bmc, action: 'on' | 'off' | 'soft', wait: PowerWait): Promise<State> {
  const { rules, timeout, signal } = wait
  if ((await bmc.power()) === ends[action]) return ends[action]
  if (rules.staysOn && action !== 'on')
    throw new HardwareError('the machine must not be powered off: disable_power_off is set')
  if (action === 'on') await rules.turn(signal, wait.note)
  signal.throwIfAborted()
  await bmc.control(action)
  const usual = action === 'soft' ? SOFT_MS : rules.changeMs
  return arrive(bmc, action, timeout === null ? usual : timeout * 1000, wait)
}

/** The BMC took the command: now the machine has `ms`. A question that is not answered meanwhile is asked again. */
async function arrive(bmc: Bmc, action: Action, ms: number, { clock, signal }: PowerWait): Promise<State> {
  const state = ends[action]
  const until = new Date(clock.now().getTime() + ms)
  let asked = clock.now().getTime()
  let trouble = ''
  const reached = await poll(clock, { until, everyMs: POLL_MS, signal }, async () => {
    try {
      if ((await bmc.power()) === state) return state
      trouble = ''
      if ((action === 'on' || action === 'off') && clock.now().getTime() - asked > AGAIN_MS) {
        asked = clock.now().getTime()
        await bmc.control(action)
      }
    } catch (error) {
      if (!(error instanceof HardwareError)) throw error
      trouble = `; at last: ${sentence(error)}`
    }
    return undefined
  })
  if (!reached)
    throw new HardwareError(
      `the BMC accepted "${action}", but did not report "${state}" within ${ms / 1000} s${trouble}`,
    )
  return reached
}
