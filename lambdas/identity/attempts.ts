import { ConflictError, type Key, type Platform } from '../platform.ts'

/** Guessing is slow: from the fifth failure in a row on, each doubles the time in which no secret of that login is tried at all, right
 * or wrong, up to a minute. Counted by login, not by address: guesses come from many. */

const FREE = 5
const LONGEST_MS = 60_000
const FORGOTTEN_MS = 3_600_000
const WRITES = 5

interface Failures {
  count: number
  at: number
}
type Needs = Pick<Platform, 'table' | 'clock'>

const key = (login: string): Key => ({ pk: `login-failures#${login}`, sk: 'failures' })

export function pauseAfter(failures: number): number {
  return failures < FREE ? 0 : Math.min(LONGEST_MS, 1000 * 2 ** (failures - FREE))
}

export async function isPaused(platform: Needs, login: string): Promise<boolean> {
  const found = (await platform.table.get(key(login)))?.value as Failures | undefined
  return found !== undefined && platform.clock.now().getTime() < found.at + pauseAfter(found.count)
}

/** Many at once count as at least one: then they lose to each other, which is as slow. */
export async function countFailure({ table, clock }: Needs, login: string): Promise<void> {
  for (let write = 0; write < WRITES; write += 1) {
    const before = await table.get(key(login))
    const known = before?.value as Failures | undefined
    const at = clock.now().getTime()
    const count = known && at < known.at + FORGOTTEN_MS ? known.count + 1 : 1
    const after = {
      ...key(login),
      version: (before?.version ?? 0) + 1,
      value: { count, at } satisfies Failures,
      expires: Math.ceil((at + FORGOTTEN_MS) / 1000),
    }
    try {
      return await table.write([{ put: after, expect: before?.version ?? 'absent' }])
    } catch (error) {
      if (!(error instanceof ConflictError)) throw error
    }
  }
}

export async function forgetFailures({ table }: Needs, login: string): Promise<void> {
  if (await table.get(key(login))) await table.write([{ delete: key(login) }])
}
