import type { PowerTarget } from '../../contract/resources.ts'
import { poll, type Clock } from '../clock.ts'
import { HardwareError } from '../hardware-error.ts'
import type { Bmc } from './bmc.ts'

const CHANGE_MS = 60_000 // Ironic: power_state_change_timeout
const SOFT_MS = 600_000 // soft_power_off_timeout
const POLL_MS = 1000

export interface PowerWait {
  clock: Clock
  signal: AbortSignal
  /** Seconds; by default as Ironic. */
  timeout: number | null
}

/** Brings the machine to `target` and sees that it got there. Doing it twice is doing it once, but for reboots. */
export async function setPower(bmc: Bmc, target: PowerTarget, wait: PowerWait): Promise<'power on' | 'power off'> {
  switch (target) {
    case 'power on':
      return reach(bmc, 'on', 'power on', wait)
    case 'power off':
      return reach(bmc, 'off', 'power off', wait)
    case 'soft power off':
      return softOff(bmc, wait)
    case 'rebooting':
      await reach(bmc, 'off', 'power off', wait)
      return reach(bmc, 'on', 'power on', wait)
    case 'soft rebooting':
      await softOff(bmc, wait)
      return reach(bmc, 'on', 'power on', { ...wait, timeout: null })
  }
}

async function softOff(bmc: Bmc, wait: PowerWait): Promise<'power on' | 'power off'> {
  return reach(bmc, 'soft', 'power off', { ...wait, timeout: wait.timeout ?? SOFT_MS / 1000 })
}

async function reach(
  bmc: Bmc,
  action: 'on' | 'off' | 'soft',
  state: 'power on' | 'power off',
  { clock, signal, timeout }: PowerWait,
): Promise<'power on' | 'power off'> {
  if ((await bmc.power()) === state) return state
  const ms = timeout === null ? CHANGE_MS : timeout * 1000
  const until = new Date(clock.now().getTime() + ms)
  await bmc.control(action)
  let asked = clock.now().getTime()
  const reached = await poll(clock, { until, everyMs: POLL_MS, signal }, async () => {
    if ((await bmc.power()) === state) return state
    // Some BMCs swallow a command given while they are busy.
    if (action !== 'soft' && clock.now().getTime() - asked > 15_000) {
      asked = clock.now().getTime()
      await bmc.control(action)
    }
    return undefined
  })
  if (!reached)
    throw new HardwareError(`the BMC accepted "${action}", but did not report "${state}" within ${ms / 1000} s`)
  return reached
}
