import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { run } from './run.ts'

/** Debian's names of the processors that ramdisks are built for. */
export type Architecture = 'amd64' | 'arm64'

/** This machine's apt, as it chooses for one processor. */
export interface Apt {
  options: readonly string[]
}

export const thisMachine: Apt = { options: [] }

const DAY_MS = 86_400_000

/**
 * For another processor than this machine's, package lists of its own, not older than a day: what this machine has installed, and what it
 * may install, stays as it is.
 */
export async function aptFor(architecture: Architecture, cache: string): Promise<Apt> {
  if (await isOfThisMachine(architecture)) return thisMachine
  const today = join(cache, `apt-${architecture}-${Math.floor(Date.now() / DAY_MS)}`)
  if (!existsSync(today)) await fetchLists(architecture, cache, today)
  return { options: optionsFor(architecture, today) }
}

export async function isOfThisMachine(architecture: Architecture): Promise<boolean> {
  return (await run('dpkg', ['--print-architecture'])).trim() === architecture
}

function optionsFor(architecture: Architecture, folder: string): string[] {
  const settings = [
    `APT::Architecture=${architecture}`,
    `APT::Architectures::=${architecture}`,
    `Dir::State::lists=${join(folder, 'lists')}`,
    `Dir::Cache=${folder}`,
    'Dir::State::status=/dev/null',
    'Debug::NoLocking=1',
    'APT::Sandbox::User=root',
  ]
  return settings.flatMap((setting) => ['-o', setting])
}

/** Parallel builds may both fetch; the first whole folder wins. */
async function fetchLists(architecture: Architecture, cache: string, today: string): Promise<void> {
  await mkdir(cache, { recursive: true })
  const fetched = await mkdtemp(join(cache, '.apt-'))
  try {
    await mkdir(join(fetched, 'lists', 'partial'), { recursive: true })
    await mkdir(join(fetched, 'archives', 'partial'), { recursive: true })
    await run('apt-get', [...optionsFor(architecture, fetched), 'update'], { env: {} })
    await rename(fetched, today).catch((error: unknown) => {
      if (!existsSync(today)) throw error
    })
  } finally {
    await rm(fetched, { recursive: true, force: true })
  }
  const old = (await readdir(cache)).filter((name) => name.startsWith(`apt-${architecture}-`))
  for (const name of old) if (join(cache, name) < today) await rm(join(cache, name), { recursive: true, force: true })
}
