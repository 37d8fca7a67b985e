import { readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'

const DRIVE = 'config-drive-'

/** Beside a file that was made here: what its digest was then. */
export const DIGEST = '.sha256'

export function configDriveFile(plan: string): string {
  return DRIVE + plan
}

/** Drops config drives that no plan needs, then the images, whole or begun, that were used longest ago, until all fit the quota. Never
 * one in `keep`, nor what has come of it. */
export async function evict(dir: string, quota: number, keep: ReadonlySet<string>): Promise<void> {
  const files = await readdir(dir)
  const facts = await Promise.all(
    files.map(async (name) => ({ name, ...pick(await stat(join(dir, name)).catch(() => undefined)) })),
  )
  let total = facts.reduce((sum, file) => sum + file.size, 0)
  for (const file of facts.sort((a, b) => a.used - b.used)) {
    if (file.name.endsWith(DIGEST)) continue // goes with its file
    if (keep.has(file.name.replace(/\.part$/, '')) || (total <= quota && !file.name.startsWith(DRIVE))) continue
    for (const name of [file.name, file.name + DIGEST]) await rm(join(dir, name), { force: true })
    total -= file.size
  }
}

function pick(facts: { size: number; mtimeMs: number } | undefined): { size: number; used: number } {
  return { size: facts?.size ?? 0, used: facts?.mtimeMs ?? 0 }
}
