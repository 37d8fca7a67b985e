import { readdirSync, readFileSync, readlinkSync } from 'node:fs'

/** Resident memory of processes and of all that they have started, in MiB. What is mapped from files, the program itself above all, is the same pages
 * in every process that runs it, and counts once. */
export function mebibytes(pids: readonly number[]): number {
  const parents = new Map<number, number>()
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue
    const parent = /^PPid:\s+(\d+)$/m.exec(statusOf(name))?.[1]
    if (parent !== undefined) parents.set(Number(name), Number(parent))
  }
  const isOurs = (pid: number | undefined): boolean =>
    pid !== undefined && pid !== 0 && (pids.includes(pid) || isOurs(parents.get(pid)))
  const own = [...parents.keys()].filter(isOurs).map((pid) => {
    const status = statusOf(String(pid))
    return {
      program: programOf(pid),
      anonymous: sizeIn(status, 'RssAnon') + sizeIn(status, 'RssShmem'),
      file: sizeIn(status, 'RssFile'),
    }
  })
  const programs = new Map<string, number>()
  for (const { program, file } of own) programs.set(program, Math.max(file, programs.get(program) ?? 0))
  const sum = (sizes: Iterable<number>): number => [...sizes].reduce((total, each) => total + each, 0)
  return sum(own.map(({ anonymous }) => anonymous)) + sum(programs.values())
}

/** proc(5), in MiB. */
function sizeIn(status: string, name: string): number {
  return Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1] ?? 0) / 1024
}

function programOf(pid: number): string {
  try {
    return readlinkSync(`/proc/${pid}/exe`)
  } catch {
    return ''
  }
}

function statusOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/status`, 'utf8')
  } catch {
    return '' // it ended meanwhile
  }
}
