import { DatabaseSync } from 'node:sqlite'

/** How long a predecessor may take to stop. */
const WAIT_MS = 5_000

/**
 * One process at a time writes a lease journal: two would give one address twice. The lock is the operating system's, so that it goes
 * with the process however that ends; SQLite is how Node asks for one.
 */
export function lockLeases(path: string, waitMs = WAIT_MS): { release(): void } {
  const db = new DatabaseSync(`${path}.lock`)
  try {
    db.exec(`pragma busy_timeout = ${waitMs}; pragma locking_mode = exclusive; begin exclusive; commit`)
  } catch (cause) {
    db.close()
    throw new Error(`${path} is in use: does another appliance run with this data_dir?`, { cause })
  }
  return { release: () => db.close() }
}
