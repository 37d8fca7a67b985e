import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'

/** The digest of a whole file, read as a stream. */
export async function digestOf(file: string): Promise<string> {
  const hash = createHash('sha256')
  await pipeline(createReadStream(file), hash)
  return hash.digest('hex')
}

/** The digest of a recipe: every file of its folder (not of folders in it) but tests and text for people. */
export async function digestOfRecipe(folder: string): Promise<string> {
  const hash = createHash('sha256')
  const files = (await readdir(folder, { withFileTypes: true })).filter((entry) => entry.isFile())
  const names = files.map((entry) => entry.name).filter((name) => !/\.test\.ts$|\.md$/.test(name))
  for (const name of names.sort()) hash.update(`${name}\0`).update(await readFile(join(folder, name)))
  return hash.digest('hex')
}

/** A short name for what was made from exactly these ingredients. */
export function contentKey(ingredients: readonly string[]): string {
  return createHash('sha256').update(JSON.stringify(ingredients)).digest('hex').slice(0, 20)
}
