import { open, link, rm } from 'node:fs/promises'
import { dirname } from 'node:path'

/** Makes the file, 0600 and whole or not at all, unless it is there. */
export async function writeOnce(path: string, content: () => Promise<string> | string): Promise<void> {
  const draft = `${path}.new`
  await rm(draft, { force: true })
  const existing = await open(path, 'r').catch(() => undefined)
  if (existing) return existing.close()
  const file = await open(draft, 'wx', 0o600)
  try {
    await file.writeFile(await content())
    await file.sync()
  } finally {
    await file.close()
  }
  await link(draft, path)
  await rm(draft)
  const directory = await open(dirname(path), 'r')
  await directory.sync()
  await directory.close()
}
