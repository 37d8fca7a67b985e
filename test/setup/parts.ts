/** What `npm test` is made of, in the order of running: the quick ones first, so that a slip is told early. */
export type Part = { name: string; argv: string[]; deadlineSeconds: number }

const statically = (name: string, argv: string[]): Part => ({ name, argv, deadlineSeconds: 300 })
const vitest = (project: string, deadlineSeconds: number): Part => ({
  name: project,
  argv: ['vitest', 'run', '--project', project],
  deadlineSeconds,
})

export const parts: Part[] = [
  statically('lint', ['oxlint', '--type-aware', '--deny-warnings']),
  statically('format', ['oxfmt', '--check', '.']),
  statically('types', ['tsc', '--noEmit']),
  vitest('unit', 600),
  vitest('peers', 1200),
  vitest('contracts', 1200),
  vitest('scenarios', 1500),
  vitest('qemu', 2400),
]
