import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { buildAgent } from '../../agent/bundle.ts'
import { buildRamdisk, type Ramdisk } from '../../agent/ramdisk/build.ts'
import { architectureOf, type Flavour } from '../../agent/ramdisk/kernel.ts'
import { replace } from '../../agent/ramdisk/layers.ts'
import { pinnedNode } from '../../agent/ramdisk/node-program.ts'

const cache = join(import.meta.dirname, '../../.cache')

/** The ramdisk of this checkout for the rack's kernel; built when anything that goes into it has changed. */
export async function labRamdisk(log: (line: string) => void, flavour: Flavour = 'cloud-amd64'): Promise<Ramdisk> {
  const out = join(cache, flavour === 'cloud-amd64' ? 'lab-ramdisk' : `lab-ramdisk-${flavour}`)
  await mkdir(out, { recursive: true })
  const agentBundle = join(out, 'agent.mjs')
  await replace(agentBundle, buildAgent) // two processes may be at it
  const node = await pinnedNode(architectureOf(flavour), cache)
  return buildRamdisk({ flavour, agentBundle, node, out, log })
}
