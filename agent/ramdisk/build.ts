import { existsSync } from 'node:fs'
import { copyFile, mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { requiredPrograms } from '../programs.ts'
import { skeleton } from './base.ts'
import type { Entry } from './cpio.ts'
import { type DebianPackage, download, resolveClosure, resolveKernel, unpack } from './debian.ts'
import { type Flavour, kernelWithModules } from './kernel.ts'
import { contentKey, digestOf, digestOfRecipe } from './key.ts'
import { writeLayer } from './layer.ts'
import { neededModules, wantedModules } from './modules.ts'
import { run } from './run.ts'
import { userland, userlandPackages } from './userland.ts'

export type RamdiskOptions = {
  flavour: Flavour
  /** The agent, bundled into one file. */
  agentBundle: string
  /** The Node program that goes in. */
  node: string
  /** The folder that receives `vmlinuz` and `initrd`. */
  out: string
  log: (line: string) => void
  /** Where layers and packages are kept between builds. */
  cache?: string
}

export type Ramdisk = { kernel: string; initrd: string; bytes: number; sha256: string }

/** Firmware loads it into memory over TFTP or HTTP, thousands of times a day: the size is a promise. */
const largestInitrd = 90_000_000

const recipe = fileURLToPath(new URL('.', import.meta.url))
const defaultCache = fileURLToPath(new URL('../../.cache', import.meta.url))

/** Two layers, because the agent changes often and the slow system under it seldom; the kernel unpacks both in turn. */
export async function buildRamdisk(options: RamdiskOptions): Promise<Ramdisk> {
  const cache = options.cache ?? defaultCache
  const layers = join(cache, 'ramdisk')
  await mkdir(layers, { recursive: true })
  await mkdir(options.out, { recursive: true })
  const system = await systemLayer(options, cache, layers)
  const agent = await agentLayer(options, layers)
  const kernel = join(options.out, 'vmlinuz')
  const initrd = join(options.out, 'initrd')
  const content = Buffer.concat([await padded(system.layer), await padded(agent)])
  if (content.length > largestInitrd)
    throw new Error(`the initrd would be ${content.length} bytes, more than ${largestInitrd}: take modules out`)
  await replace(kernel, (part) => copyFile(system.kernel, part))
  await replace(initrd, (part) => writeFile(part, content))
  return { kernel, initrd, bytes: content.length, sha256: await digestOf(initrd) }
}

async function systemLayer(options: RamdiskOptions, cache: string, layers: string) {
  const kernelPackage = await resolveKernel(`linux-image-${options.flavour}`)
  const packages = await resolveClosure(userlandPackages)
  const versions = [kernelPackage, ...packages].map((one) => `${one.name}=${one.version}`)
  const key = contentKey([...versions, await digestOfRecipe(recipe), await digestOf(options.node)])
  const layer = join(layers, `system-${key}.cpio.zst`)
  const kernel = join(layers, `vmlinuz-${key}`)
  if (existsSync(layer) && existsSync(kernel)) options.log(`system layer ${key}: kept from before`)
  else await makeSystemLayer(options, { cache, kernelPackage, packages, layer, kernel })
  return { layer, kernel }
}

type Making = { cache: string; kernelPackage: DebianPackage; packages: DebianPackage[]; layer: string; kernel: string }

async function makeSystemLayer({ flavour, node, log }: RamdiskOptions, making: Making): Promise<void> {
  const work = await mkdtemp(join(making.cache, 'ramdisk', '.work-'))
  try {
    const debs = join(making.cache, 'debs')
    log(`fetching ${making.packages.length + 1} Debian packages, kernel ${making.kernelPackage.name}`)
    await unpack(await download(making.packages, debs), join(work, 'system'))
    await unpack(await download([making.kernelPackage], debs), join(work, 'kernel'))
    log('choosing kernel modules')
    const chosen = await kernelWithModules({
      root: join(work, 'kernel'),
      staging: join(work, 'modules'),
      wanted: wantedModules,
      needed: neededModules[flavour],
    })
    // Debug symbols would be a seventh of the machine's memory that Node takes.
    await run('strip', ['--strip-unneeded', '-o', join(work, 'node'), node])
    const programs = await userland(join(work, 'system'), join(work, 'node'))
    const entries = [...skeleton, ...programs, ...chosen.modules]
    checkPrograms(entries)
    log(`compressing ${entries.length} files, ${chosen.modules.length} of them modules; this takes a minute`)
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
    throw new Error(
      `the agent needs ${missing.join(', ')}: add the package and the program to agent/ramdisk/userland.ts`,
    )
}

async function agentLayer({ agentBundle, log }: RamdiskOptions, layers: string): Promise<string> {
  const content = await readFile(agentBundle)
  const layer = join(
    layers,
    `agent-${contentKey([await digestOf(agentBundle), await digestOfRecipe(recipe)])}.cpio.zst`,
  )
  if (existsSync(layer)) return layer
  log(`agent layer: ${content.length} bytes of program`)
  await writeLayer([{ path: 'usr/lib/bloomery/agent.mjs', kind: 'file', mode: 0o644, content }], layer)
  return layer
}

/** The kernel looks for the next archive on a multiple of four bytes. */
async function padded(layer: string): Promise<Uint8Array> {
  const content = await readFile(layer)
  return Buffer.concat([content, Buffer.alloc((4 - (content.length % 4)) % 4)])
}

/** Whoever reads meanwhile sees the whole old file or the whole new one. */
async function replace(file: string, write: (part: string) => Promise<void>): Promise<void> {
  const part = `${file}.${process.pid}.part`
  await write(part)
  await rename(part, file)
}
