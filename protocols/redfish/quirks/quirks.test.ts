import { glob } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { describe, expect, it } from 'vitest'
import { play, type Vector } from '../testing/vector.ts'
import { quirks } from './table.ts'

const vectors: Vector[] = []
for await (const file of glob('vectors/*.ts', { cwd: import.meta.dirname })) {
  const module = (await import(pathToFileURL(join(import.meta.dirname, file)).href)) as Record<string, Vector>
  vectors.push(...Object.values(module))
}

it('each quirk has a vector, and each vector a quirk', () => {
  expect(vectors.map(({ quirk }) => quirk).sort()).toEqual(quirks.map(({ name }) => name).sort())
})

describe.each(vectors)('a BMC of $quirk', (vector) => {
  it.each(vector.story)('is asked as it wants to be: $does', async (deed) => {
    const { quirk, written } = await play(vector, deed)
    expect(quirk).toBe(vector.quirk)
    expect(written).toEqual(deed.writes.map(({ status: _status, says: _says, changes: _changes, ...asked }) => asked))
  })
})
