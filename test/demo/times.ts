import { stepName, type Course } from '../../cli/course.ts'

/** What a server spent its time with, in the order of happening. */
export interface Spent {
  operation: string
  step: string
  seconds: number
}

export function spentIn(course: Course): Spent[] {
  return (course.seconds ?? []).map((seconds, step) => ({
    operation: course.kind,
    step: stepName(course, step),
    seconds,
  }))
}

const BAR = 24
const SHORTEST = 0.05

/** A table of steps by server, with a bar for the longest of them; steps that took no time in any are left out. */
export function timetable(servers: ReadonlyArray<{ name: string; spent: readonly Spent[] }>): string[] {
  const labels = new Map<string, number[]>()
  for (const [column, { spent }] of servers.entries())
    for (const { operation, step, seconds } of spent) {
      const label = `${operation.padEnd(10)} ${step}`
      const row = labels.get(label) ?? servers.map(() => 0)
      row[column] = (row[column] ?? 0) + seconds
      labels.set(label, row)
    }
  const rows = [...labels].filter(([, row]) => Math.max(...row) >= SHORTEST)
  const total = servers.map((_, column) => rows.reduce((sum, [, row]) => sum + row[column]!, 0))
  const width = Math.max(...rows.map(([label]) => label.length))
  const longest = Math.max(...rows.flatMap(([, row]) => row))
  const cells = (row: readonly number[]): string =>
    row.map((seconds, column) => seconds.toFixed(1).padStart(Math.max(servers[column]!.name.length, 7) + 2)).join('')
  const bar = (row: readonly number[]): string => '█'.repeat(Math.round((Math.max(...row) / longest) * BAR))
  return [
    ' '.repeat(width) + servers.map(({ name }) => name.padStart(Math.max(name.length, 7) + 2)).join(''),
    ...rows.map(([label, row]) => `${label.padEnd(width)}${cells(row)}  ${bar(row)}`.trimEnd()),
    'in all, in seconds'.padEnd(width) + cells(total),
  ]
}
