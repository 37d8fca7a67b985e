import { readdirSync, readFileSync } from 'node:fs'

/** Resident memory of processes and of all that they have started, in MiB. */
export function mebibytes(pids: readonly number[]): number {
  const parents = new Map<number, number>()
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue
    const parent = /^PPid:\s+(\d+)$/m.exec(statusOf(name))?.[1]
    if (parent !== undefined) parents.set(Number(name), Number(parent))
  }
  const isOurs = (pid: number | undefined): boolean =>
    pid !== undefined && pid !== 0 && (pids.includes(pid) || isOurs(parents.get(pid)))
  const sizes = [...parents.keys()].filter(isOurs).map((pid) => {
    const kibibytes = /^VmRSS:\s+(\d+) kB$/m.exec(statusOf(String(pid)))?.[1]
    return Number(kibibytes ?? 0) / 1024
  })
  return sizes.reduce((sum, each) => sum + each, 0)
}

function statusOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/status`, 'utf8')
  } catch {
    return '' // it ended meanwhile
  }
}
