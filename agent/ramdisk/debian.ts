import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { type Apt, thisMachine } from './apt.ts'
import { run } from './run.ts'

export type DebianPackage = { name: string; version: string; architecture: string }

/** apt as if nothing were installed, so that a closure doesn't depend on the machine that builds. */
const onNothing = ['-o', 'Dir::State::status=/dev/null', '-o', 'Debug::NoLocking=1', '-o', 'APT::Sandbox::User=root']

/** The packages and everything that they depend on, with the versions that this machine's apt would take. */
export async function resolveClosure(names: readonly string[], apt: Apt = thisMachine): Promise<DebianPackage[]> {
  const args = [...apt.options, ...onNothing, 'install', '--simulate', '--no-install-recommends', ...names]
  const plan = await run('apt-get', args, { env: {} }).catch(explainMissing(names))
  return parsePlan(plan)
}

/** One package alone, at the version that this machine's apt would take. */
export async function resolveOne(name: string, apt: Apt = thisMachine): Promise<DebianPackage> {
  const shown = await show(name, apt)
  return { name, version: field(shown, 'Version'), architecture: field(shown, 'Architecture') }
}

/** A kernel metapackage names the current kernel of its flavour. */
export async function resolveKernel(metapackage: string, apt: Apt = thisMachine): Promise<DebianPackage> {
  const depends = field(await show(metapackage, apt), 'Depends')
  const kernel = /^linux-image-[\w.+-]+/.exec(depends)?.[0]
  if (!kernel) throw new Error(`package ${metapackage} depends on no linux-image package: "${depends}"`)
  return resolveOne(kernel, apt)
}

/** Fetches what is missing into `directory` (apt checks the digests) and returns the paths of the .deb files. */
export async function download(
  packages: readonly DebianPackage[],
  directory: string,
  apt: Apt = thisMachine,
): Promise<string[]> {
  await mkdir(directory, { recursive: true })
  const missing = packages.filter((one) => !existsSync(join(directory, fileName(one))))
  if (missing.length > 0) await fetchInto(directory, missing, apt)
  return packages.map((one) => join(directory, fileName(one)))
}

/** Parallel builds share the directory, hence each fetches beside it and moves whole files in. */
async function fetchInto(directory: string, packages: readonly DebianPackage[], apt: Apt): Promise<void> {
  const fetched = await mkdtemp(join(directory, '.fetch-'))
  try {
    const wanted = packages.map((one) => `${one.name}=${one.version}`)
    const retried = ['-o', 'APT::Sandbox::User=root', '-o', 'Acquire::Retries=3']
    await run('apt-get', [...apt.options, ...retried, 'download', ...wanted], { cwd: fetched, env: {} }).catch(
      explainMissing(wanted),
    )
    for (const one of packages) await rename(join(fetched, fileName(one)), join(directory, fileName(one)))
  } finally {
    await rm(fetched, { recursive: true, force: true })
  }
}

export async function unpack(archives: readonly string[], root: string): Promise<void> {
  for (const archive of archives) await run('dpkg-deb', ['-x', archive, root])
}

/** apt-get's `Inst name (version origin [architecture])` lines. */
export function parsePlan(plan: string): DebianPackage[] {
  const found = [...plan.matchAll(/^Inst (\S+) \((\S+) .*?\[(\w+)\]\)/gm)]
  return found
    .map(([, name = '', version = '', architecture = '']) => ({ name, version, architecture }))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
}

/** `apt-get download` writes an epoch's colon as %3a. */
export function fileName({ name, version, architecture }: DebianPackage): string {
  return `${name}_${version.replaceAll(':', '%3a')}_${architecture}.deb`
}

async function show(name: string, apt: Apt): Promise<string> {
  return run('apt-cache', [...apt.options, 'show', '--no-all-versions', name], { env: {} }).catch(
    explainMissing([name]),
  )
}

function field(shown: string, name: string): string {
  const value = new RegExp(`^${name}: (.*)$`, 'm').exec(shown)?.[1]
  if (!value) throw new Error(`apt-cache printed no ${name} in: ${shown.slice(0, 200)}`)
  return value
}

function explainMissing(names: readonly string[]): (cause: unknown) => never {
  return (cause) => {
    const what = names.length > 4 ? `${names.slice(0, 4).join(' ')} and ${names.length - 4} more` : names.join(' ')
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new Error(`Debian packages ${what} could not be had; run "apt-get update" and check apt's sources (${why})`, {
      cause,
    })
  }
}
