import { randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { writeOnce } from './write-once.ts'

const BYTES = 32

/** A secret that is made at the first start and kept. A damaged one is refused: a short key would be guessed, and an empty one is no key. */
export async function secretFile(path: string, encoding: 'hex' | 'base64url'): Promise<string> {
  await writeOnce(path, () => randomBytes(BYTES).toString(encoding))
  const text = (await readFile(path, 'utf8')).trim()
  if (Buffer.from(text, encoding).length !== BYTES)
    throw new Error(`${path} is not the key that was made at the first start: restore it from a backup`)
  return text
}
