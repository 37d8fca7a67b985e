import { ConflictError, type Key, type Table } from '../platform.ts'

const ATTEMPTS = 30

/** Reads, decides, writes if nobody wrote meanwhile, else anew with what they wrote. `decide` returns undefined for no change. */
export async function replace<T>(
  table: Table,
  key: Key,
  decide: (before: T | undefined) => T | undefined,
): Promise<void> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const before = await table.get(key)
    const value = decide(before?.value as T | undefined)
    if (value === undefined) return
    const put = { ...key, version: (before?.version ?? 0) + 1, value }
    try {
      return await table.write([{ put, expect: before ? before.version : 'absent' }])
    } catch (error) {
      if (!(error instanceof ConflictError)) throw error
    }
  }
  throw new Error(`${key.pk} ${key.sk} is being changed by many at once`)
}
