import { existsSync } from 'node:fs'
import { copyFile, mkdtemp, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { grubPlatforms } from '../loader/grub-modules.ts'
import { requiredPrograms } from '../programs.ts'
import { skeleton } from './base.ts'
import { type Apt, type Architecture, aptFor, isOfThisMachine } from './apt.ts'
import type { Entry } from './cpio.ts'
import { type DebianPackage, download, resolveClosure, resolveKernel, resolveOne, unpack } from './debian.ts'
import { architectureOf, type Flavour, kernelWithModules } from './kernel.ts'
import { contentKey, digestOf, digestOfRecipe } from './key.ts'
import { writeLayer } from './layer.ts'
import { neededModules, wantedModules } from './modules.ts'
import { run } from './run.ts'
import { programIn, userland, userlandPackages } from './userland.ts'

/** Where packages and finished layers are kept between builds, and who hears of the progress. */
export type Workshop = { packages: string; layers: string; log: (line: string) => void }

const recipe = fileURLToPath(new URL('.', import.meta.url))

/** Kernel modules, programs and scripts; and the kernel that they belong to. */
export async function systemLayer(flavour: Flavour, node: string, shop: Workshop) {
  const apt = await aptFor(architectureOf(flavour), shop.packages)
  const kernelPackage = await resolveKernel(`linux-image-${flavour}`, apt)
  const packages = await resolveClosure(userlandPackages(architectureOf(flavour)), apt)
  const versions = [kernelPackage, ...packages].map((one) => `${one.name}=${one.version}`)
  const grub = JSON.stringify(grubPlatforms)
  const key = contentKey([...versions, grub, await digestOfRecipe(recipe), await digestOf(node)])
  const layer = join(shop.layers, `system-${key}.cpio.zst`)
  const kernel = join(shop.layers, `vmlinuz-${key}`)
  if (existsSync(layer) && existsSync(kernel)) shop.log(`system layer ${key}: kept from before`)
  else await makeSystemLayer({ flavour, apt, node, kernelPackage, packages, layer, kernel }, shop)
  return { layer, kernel }
}

type Making = {
  flavour: Flavour
  apt: Apt
  node: string
  kernelPackage: DebianPackage
  packages: DebianPackage[]
  layer: string
  kernel: string
}

async function makeSystemLayer(making: Making, { packages, layers, log }: Workshop): Promise<void> {
  const work = await mkdtemp(join(layers, '.work-'))
  try {
    log(`fetching ${making.packages.length + 1} Debian packages, kernel ${making.kernelPackage.name}`)
    await unpack(await download(making.packages, packages, making.apt), join(work, 'system'))
    await unpack(await download([making.kernelPackage], packages, making.apt), join(work, 'kernel'))
    const chosen = await kernelWithModules({
      root: join(work, 'kernel'),
      staging: join(work, 'modules'),
      wanted: wantedModules,
      needed: neededModules[making.flavour],
    })
    await unpack(await download([await resolveOne('busybox-static')], packages), join(work, 'here'))
    const programs = await userland({
      root: join(work, 'system'),
      architecture: architectureOf(making.flavour),
      node: making.node,
      speaks: await programIn(join(work, 'here'), 'busybox'),
    })
    const entries = [...skeleton, ...programs, ...chosen.modules]
    checkPrograms(entries)
    log(`system layer: compressing ${entries.length} files, ${chosen.modules.length} of them kernel modules`)
    await writeLayer(entries, making.layer)
    await replace(making.kernel, (part) => copyFile(chosen.kernel, part))
  } finally {
    await rm(work, { recursive: true, force: true })
  }
}

function checkPrograms(entries: readonly Entry[]): void {
  const present = new Set(entries.map((entry) => entry.path))
  const missing = requiredPrograms.filter((name) => !present.has(`usr/bin/${name}`))
  if (missing.length > 0)
    throw new Error(`the agent needs ${missing.join(', ')}: add the program to agent/ramdisk/userland.ts`)
}

/** Node alone is two thirds of the ramdisk and of the work to compress it, and changes with its version only. */
export async function nodeLayer(node: string, architecture: Architecture, { layers, log }: Workshop): Promise<string> {
  const layer = join(layers, `node-${contentKey([await digestOf(node), await writerDigest()])}.cpio.zst`)
  if (existsSync(layer)) return layer
  log('node layer: compressing Node; this takes a minute')
  const work = await mkdtemp(join(layers, '.work-'))
  try {
    // Its symbols would be a seventh of the memory that it takes. Debian's strip knows no other processor than its own.
    const stripped = join(work, 'node')
    if (await isOfThisMachine(architecture)) await run('strip', ['--strip-unneeded', '-o', stripped, node])
    else await copyFile(node, stripped)
    await writeLayer([{ path: 'usr/bin/node', kind: 'file', mode: 0o755, content: { from: stripped } }], layer)
  } finally {
    await rm(work, { recursive: true, force: true })
  }
  return layer
}

/** The agent, and beside it what lets it make system calls. */
export async function agentLayer(agentBundle: string, binding: string, { layers, log }: Workshop): Promise<string> {
  const content = await readFile(agentBundle)
  const made = [await digestOf(agentBundle), await digestOf(binding), await writerDigest()]
  const layer = join(layers, `agent-${contentKey(made)}.cpio.zst`)
  if (existsSync(layer)) return layer
  log(`agent layer: ${content.length} bytes of program`)
  const entries: Entry[] = [
    { path: 'usr/lib/bloomery/agent.mjs', kind: 'file', mode: 0o644, content },
    { path: 'usr/lib/bloomery/koffi.node', kind: 'file', mode: 0o644, content: { from: binding } },
  ]
  await writeLayer(entries, layer)
  return layer
}

/** Layers of one file depend on what goes in, on how it is written, and on where this file puts it. */
async function writerDigest(): Promise<string> {
  const files = ['cpio.ts', 'layer.ts', 'layers.ts'].map((name) => digestOf(join(recipe, name)))
  return contentKey(await Promise.all(files))
}

/** Whoever reads meanwhile sees the whole old file or the whole new one. */
export async function replace(file: string, write: (part: string) => Promise<void>): Promise<void> {
  const part = `${file}.${process.pid}.part`
  await write(part)
  await rename(part, file)
}
