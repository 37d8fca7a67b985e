import type { Clock } from '../clock.ts'
import type { Turn } from './change.ts'
import type { PowerConfig } from './policy.ts'

/** Machines that are switched on draw several times what they draw later: a whole rack at once trips its breakers. Resolves when this one may
 * go; a turn that was given up stays used. */
export type Stagger = (group: string) => Turn

const MOST_GROUPS = 4096

export function openStagger(rule: PowerConfig['stagger'], clock: Clock): Stagger {
  if (!rule) return () => () => Promise.resolve()
  const ms = rule.seconds * 1000
  /** When the latest of each group went or will go, oldest first. */
  const groups = new Map<string, number[]>()
  return (group) => async (signal, note) => {
    const now = clock.now().getTime()
    if (groups.size >= MOST_GROUPS)
      for (const [name, turns] of groups) if (turns.at(-1)! + ms <= now) groups.delete(name)
    const turns = groups.get(group) ?? []
    const before = turns.at(-rule.most)
    const at = before === undefined ? now : Math.max(now, before + ms)
    groups.set(group, [...turns, at].slice(-rule.most))
    if (at <= now) return
    note(
      `waiting ${Math.ceil((at - now) / 1000)} s for its turn to be switched on (${rule.most} of ${group} in ${rule.seconds} s)`,
    )
    await clock.sleep(at - now, signal)
  }
}
