import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { digestOf } from '../../agent/ramdisk/key.ts'
import { run } from '../../agent/ramdisk/run.ts'

export type Image = { path: string; size: number; sha256: string; qcow2: string }
export type Log = (line: string) => void

export const cache = fileURLToPath(new URL('../../.cache', import.meta.url))

/** The image of that name and key, made now if there is none. Its digest is kept beside it: hashing takes longer than finding. */
export async function kept(
  name: string,
  key: string,
  log: Log,
  make: (raw: string, work: string) => Promise<void>,
): Promise<Image> {
  const folder = join(cache, 'images')
  const place = join(folder, `${name}-${key}`)
  if (existsSync(place)) log(`${name} image ${key}: kept from before`)
  else {
    await mkdir(folder, { recursive: true })
    const work = await mkdtemp(join(folder, '.work-'))
    try {
      const made = join(work, 'made')
      await mkdir(made)
      await make(join(made, 'image.raw'), work)
      await run('qemu-img', ['convert', '-O', 'qcow2', '-c', join(made, 'image.raw'), join(made, 'image.qcow2')])
      await writeFile(join(made, 'image.sha256'), await digestOf(join(made, 'image.raw')))
      // Of two builders at once the first wins; the other's result is as good and is thrown away.
      await rename(made, place).catch((error: unknown) => {
        if (!existsSync(place)) throw error
      })
    } finally {
      await rm(work, { recursive: true, force: true, maxRetries: 3 })
    }
  }
  await forgetOld(folder, name, place)
  return describe(place)
}

/** Images of recipes that nobody used for a week are deleted; a running test may still use a younger one. */
async function forgetOld(folder: string, name: string, place: string): Promise<void> {
  const now = new Date()
  await utimes(place, now, now)
  const oldest = now.getTime() - 7 * 24 * 3600 * 1000
  for (const entry of await readdir(folder)) {
    const path = join(folder, entry)
    if (!entry.startsWith(`${name}-`) && !entry.startsWith('.work-')) continue
    if ((await stat(path).catch(() => ({ mtimeMs: now.getTime() }))).mtimeMs < oldest)
      await rm(path, { recursive: true, force: true })
  }
}

async function describe(place: string): Promise<Image> {
  const path = join(place, 'image.raw')
  const sha256 = await readFile(join(place, 'image.sha256'), 'utf8')
  return { path, size: (await stat(path)).size, sha256, qcow2: join(place, 'image.qcow2') }
}
