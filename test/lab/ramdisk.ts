import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { buildAgent } from '../../agent/bundle.ts'
import { buildRamdisk, type Ramdisk } from '../../agent/ramdisk/build.ts'

const cache = join(import.meta.dirname, '../../.cache')

/** The ramdisk of this checkout for the rack's kernel; built when anything that goes into it has changed. */
export async function labRamdisk(log: (line: string) => void): Promise<Ramdisk> {
  const out = join(cache, 'lab-ramdisk')
  await mkdir(out, { recursive: true })
  const agentBundle = join(out, 'agent.mjs')
  await buildAgent(agentBundle)
  return buildRamdisk({ flavour: 'cloud-amd64', agentBundle, node: process.execPath, out, log })
}
