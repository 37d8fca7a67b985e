import type { IpmiSession } from './client.ts'
import { getWatchdog, resetWatchdog, setWatchdog, watchdogActions, watchdogUses } from './watchdog-commands.ts'

export type WatchdogAction = keyof typeof watchdogActions

/** Seconds. */
export interface WatchdogTimer {
  running: boolean
  /** Undefined: a number that IPMI 2.0 §27.6 doesn't know. */
  action: WatchdogAction | undefined
  timeout: number
  remaining: number | undefined
}

const TENTHS = 10

export async function readWatchdog(session: IpmiSession): Promise<WatchdogTimer> {
  const { use, actions, initial, present } = await session.send(getWatchdog, undefined)
  const action = Object.entries(watchdogActions).find(([, number]) => number === actions.onTimeout)?.[0]
  return {
    running: use.running,
    action: action as WatchdogAction | undefined,
    timeout: initial / TENTHS,
    remaining: present === undefined ? undefined : present / TENTHS,
  }
}

/** Set anew: it counts from now on, or stands still. What ran out before is forgotten. */
export async function armWatchdog(
  session: IpmiSession,
  { running, action, timeout }: { running: boolean; action: WatchdogAction; timeout: number },
): Promise<void> {
  await session.send(setWatchdog, {
    use: { purpose: watchdogUses.smsOs, running: false, silent: false },
    actions: { onTimeout: watchdogActions[action], interrupt: 0 },
    interruptBefore: 0,
    expired: Object.values(watchdogUses).reduce((bits, use) => bits | (1 << use), 0),
    initial: Math.round(timeout * TENTHS),
  })
  if (running) await session.send(resetWatchdog, undefined)
}
