import { DefaultReporter, type Reporter } from 'vitest/node'
import type { SerializedError, TestCase, TestModule } from 'vitest/node'
import { fallenLine } from './second-try.ts'
import { noteOf, sum, type Tally } from './tally.ts'

/** Vitest's own report, then what failed and in which files, a line each, and the one line that CI reads:
 * `N passed, N failed`. Errors outside a test count as failures. */
export default class PlainLineReporter extends DefaultReporter implements Reporter {
  override onTestRunEnd(
    modules: ReadonlyArray<TestModule>,
    errors: ReadonlyArray<SerializedError>,
    reason: 'passed' | 'interrupted' | 'failed',
  ): void {
    super.onTestRunEnd(modules, errors, reason)
    const notes = errors.map(({ message }) => noteOf('outside a test', message))
    const tallies: Tally[] = [{ passed: 0, failed: errors.length }]
    for (const module of modules) {
      const tally = tallyIn(module, notes)
      tallies.push(tally)
      if (tally.failed > 0) notes.push(fallenLine({ file: module.relativeModuleId, ...tally }))
    }
    for (const note of notes) process.stdout.write(`${note}\n`)
    const { passed, failed } = sum(tallies)
    process.stdout.write(`${passed} passed, ${failed} failed\n`)
  }
}

function tallyIn(module: TestModule, notes: string[]): Tally {
  const tally = { passed: 0, failed: 0 }
  // What goes wrong around tests, in hooks or while they are collected, fails those that are not even begun.
  for (const place of [module, ...module.children.allSuites()]) {
    const broken = place.errors()
    const name = place.type === 'suite' ? `${module.relativeModuleId} > ${place.fullName}` : module.relativeModuleId
    notes.push(...broken.map(({ message }) => noteOf(name, message)))
    if (broken.length > 0) tally.failed += 1
  }
  for (const test of module.children.allTests()) {
    const { state, errors: why } = test.result()
    if (state === 'passed') tally.passed += 1
    else if (state !== 'skipped') tally.failed += 1
    if (state === 'failed') notes.push(noteOf(placeOf(test), why[0]?.message))
  }
  return tally
}

const placeOf = (test: TestCase): string => `${test.module.relativeModuleId} > ${test.fullName}`
