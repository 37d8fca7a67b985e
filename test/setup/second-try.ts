import { sum, type Tally } from './tally.ts'

/** With more, something is broken, and a second run would only say so later. */
const AT_MOST_FILES = 5

/** What a part says: how many tests did what, and what of those that failed. */
export interface Told extends Tally {
  notes: string[]
}

/** A file of which something failed, and how many of its tests did what. */
export interface Fallen extends Tally {
  file: string
}

/** A line that `fallenOf` finds again. */
export function fallenLine({ file, passed, failed }: Fallen): string {
  return `fell: ${file}: ${passed} passed, ${failed} failed`
}

/** The files that shall be run once more; none where what failed is not of few files. */
export function fallenOf(output: string, { failed }: Tally): Fallen[] {
  const lines = [...output.matchAll(/^fell: (\S+): (\d+) passed, (\d+) failed$/gm)]
  const fallen = lines.map(([, file = '', ...counts]) => ({
    file,
    passed: Number(counts[0]),
    failed: Number(counts[1]),
  }))
  return fallen.length <= AT_MOST_FILES && sum(fallen).failed === failed ? fallen : []
}

/** What a part comes to when its fallen files have been run once more: of them, the second run's word holds. */
export function withSecondTry(first: Told, fallen: readonly Fallen[], second: Told): Told {
  const before = sum(fallen)
  const places = new Set(second.notes.map(placeIn))
  const mended = first.notes.filter((note) => !places.has(placeIn(note)))
  return {
    passed: first.passed - before.passed + second.passed,
    failed: first.failed - before.failed + second.failed,
    notes: [...mended.map((note) => note.replace('failed: ', 'second try: ')), ...second.notes],
  }
}

/** The file and the test of a note, without what was wrong. */
const placeIn = (note: string): string => /^failed: (\S+( > .*?)?): /.exec(note)?.[1] ?? note
