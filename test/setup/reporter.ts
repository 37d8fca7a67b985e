import { DefaultReporter, type Reporter } from 'vitest/node'
import type { SerializedError, TestCase, TestModule } from 'vitest/node'
import { noteOf } from './tally.ts'

/** Vitest's own report, then what failed or wanted its second try, a line each, and the one line that CI reads:
 * `N passed, N failed`. Errors outside a test count as failures. */
export default class PlainLineReporter extends DefaultReporter implements Reporter {
  override onTestRunEnd(
    modules: ReadonlyArray<TestModule>,
    errors: ReadonlyArray<SerializedError>,
    reason: 'passed' | 'interrupted' | 'failed',
  ): void {
    super.onTestRunEnd(modules, errors, reason)
    const notes = errors.map(({ message }) => noteOf('failed', 'outside a test', message))
    let passed = 0
    let failed = errors.length
    for (const module of modules) {
      const broken = module.errors()
      if (broken.length > 0) failed += 1
      notes.push(...broken.map(({ message }) => noteOf('failed', module.relativeModuleId, message)))
      for (const test of module.children.allTests()) {
        const { state, errors: why } = test.result()
        if (state === 'passed') passed += 1
        else if (state !== 'skipped') failed += 1
        if (state === 'failed') notes.push(noteOf('failed', placeOf(test), why[0]?.message))
        else if (test.diagnostic()?.flaky) notes.push(noteOf('second try', placeOf(test), why?.[0]?.message))
      }
    }
    for (const note of notes) process.stdout.write(`${note}\n`)
    process.stdout.write(`${passed} passed, ${failed} failed\n`)
  }
}

const placeOf = (test: TestCase): string => `${test.module.relativeModuleId} > ${test.fullName}`
