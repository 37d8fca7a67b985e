import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { access, mkdir, readFile, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'

const repository = join(import.meta.dirname, '../../..')
const source = join(import.meta.dirname, 'link.c')

/** Path of the compiled link program; compiled at most once per version of its source. */
export async function linkProgram(): Promise<string> {
  const digest = createHash('sha256')
    .update(await readFile(source))
    .digest('hex')
  const folder = join(repository, '.cache/wan')
  const program = join(folder, `link-${digest.slice(0, 16)}`)
  try {
    await access(program)
  } catch {
    await mkdir(folder, { recursive: true })
    // Compile beside and rename, so that a run at the same time never executes half a file.
    const partial = `${program}.${process.pid}`
    await promisify(execFile)('gcc', ['-O2', '-Wall', '-Werror', '-o', partial, source])
    await rename(partial, program)
  }
  return program
}
