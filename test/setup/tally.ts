export type Tally = { passed: number; failed: number }

/** Reads the last `N passed, N failed` of a part's output. A part without such a line is one check, told by its exit
 * code; and a part that failed without saying what failed (a crash, no tests at all) counts as one failure. */
export function tallyOf(output: string, exitCode: number): Tally {
  const line = [...output.matchAll(/^(\d+) passed, (\d+) failed$/gm)].at(-1)
  if (!line) return exitCode === 0 ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 }
  const tally = { passed: Number(line[1]), failed: Number(line[2]) }
  if (tally.failed === 0 && (exitCode !== 0 || tally.passed === 0)) tally.failed = 1
  return tally
}

export function sum(tallies: readonly Tally[]): Tally {
  return tallies.reduce((a, b) => ({ passed: a.passed + b.passed, failed: a.failed + b.failed }), {
    passed: 0,
    failed: 0,
  })
}

/** A line that `notesOf` finds again. */
export function noteOf(place: string, message = 'says nothing'): string {
  return `failed: ${place}: ${message.split('\n')[0]?.slice(0, 300)}`
}

/** What a part says of single tests that failed. */
export function notesOf(output: string): string[] {
  return [...output.matchAll(/^failed: \S.*$/gm)].map(([line]) => line)
}
