import { relative } from 'node:path'
import { BaseSequencer, type TestSpecification } from 'vitest/node'
import { longest } from './longest.ts'

/** The longest files of a part begin first, lest one of them goes on alone at its end; Vitest by itself would know only what it has run before. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = new Map(longest.map((path, index) => [path, index]))
    const rankOf = ({ moduleId, project }: TestSpecification): number =>
      rank.get(relative(project.vitest.config.root, moduleId)) ?? longest.length
    return (await super.sort(files)).toSorted((a, b) => rankOf(a) - rankOf(b))
  }
}
