import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { longest } from './longest.ts'

test('each file that is to begin first is there', () => {
  const project = join(import.meta.dirname, '../..')
  expect(longest.filter((path) => !existsSync(join(project, path)))).toEqual([])
})
