import { glob, readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { z } from 'zod'

const repository = resolve(import.meta.dirname, '../..')
const room = z.object({ requiredPackages: z.array(z.string()) })

/** The Debian packages that set-up installs. */
export async function installedPackages(): Promise<string[]> {
  const lines = (await readFile(join(import.meta.dirname, 'packages.txt'), 'utf8')).split('\n')
  return lines.filter((line) => line !== '' && !line.startsWith('#'))
}

/** What each room says that it needs: `requiredPackages` of every packages.ts but this one. */
export async function requiredByRooms(): Promise<Array<{ room: string; packages: string[] }>> {
  const rooms = []
  for await (const path of glob('{agent,appliance,cli,protocols,standalone,test}/**/packages.ts', {
    cwd: repository,
    exclude: (name) => name.includes('node_modules'),
  })) {
    if (path === 'test/setup/packages.ts') continue
    const { requiredPackages } = room.parse(await import(pathToFileURL(join(repository, path)).href))
    rooms.push({ room: path, packages: requiredPackages })
  }
  return rooms
}
