import { DefaultReporter, type Reporter } from 'vitest/node'
import type { SerializedError, TestModule } from 'vitest/node'

/** Vitest's own report, then the one line that CI reads: `N passed, N failed`. Errors outside a test count as failures. */
export default class PlainLineReporter extends DefaultReporter implements Reporter {
  override onTestRunEnd(
    modules: ReadonlyArray<TestModule>,
    errors: ReadonlyArray<SerializedError>,
    reason: 'passed' | 'interrupted' | 'failed',
  ): void {
    super.onTestRunEnd(modules, errors, reason)
    let passed = 0
    let failed = errors.length
    for (const module of modules) {
      if (module.errors().length > 0) failed += 1
      for (const test of module.children.allTests()) {
        const { state } = test.result()
        if (state === 'passed') passed += 1
        else if (state !== 'skipped') failed += 1
      }
    }
    process.stdout.write(`${passed} passed, ${failed} failed\n`)
  }
}
