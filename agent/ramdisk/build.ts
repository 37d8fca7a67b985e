import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { architectureOf, type Flavour } from './kernel.ts'
import { digestOf } from './key.ts'
import { pinnedBinding } from './node-program.ts'
import { agentLayer, nodeLayer, replace, systemLayer, type Workshop } from './layers.ts'

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

const defaultCache = fileURLToPath(new URL('../../.cache', import.meta.url))

/** Three layers, because the agent changes often and what is under it seldom; the kernel unpacks them in turn. */
export async function buildRamdisk(options: RamdiskOptions): Promise<Ramdisk> {
  const cache = options.cache ?? defaultCache
  const shop: Workshop = { packages: join(cache, 'debs'), layers: join(cache, 'ramdisk'), log: options.log }
  await mkdir(shop.layers, { recursive: true })
  await mkdir(options.out, { recursive: true })
  const [node, system, agent] = await Promise.all([
    nodeLayer(options.node, architectureOf(options.flavour), shop),
    systemLayer(options.flavour, options.node, shop),
    agentLayer(options.agentBundle, await pinnedBinding(architectureOf(options.flavour), cache), shop),
  ])
  const content = Buffer.concat(await Promise.all([system.layer, node, agent].map(padded)))
  if (content.length > largestInitrd)
    throw new Error(`the initrd would be ${content.length} bytes, more than ${largestInitrd}: take modules out`)
  const kernel = join(options.out, 'vmlinuz')
  const initrd = join(options.out, 'initrd')
  await replace(kernel, (part) => copyFile(system.kernel, part))
  await replace(initrd, (part) => writeFile(part, content))
  return { kernel, initrd, bytes: content.length, sha256: await digestOf(initrd) }
}

/** The kernel looks for the next archive on a multiple of four bytes. */
async function padded(layer: string): Promise<Uint8Array> {
  const content = await readFile(layer)
  return Buffer.concat([content, Buffer.alloc((4 - (content.length % 4)) % 4)])
}
