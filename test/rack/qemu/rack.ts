import type { ChildProcess, SpawnOptions } from 'node:child_process'
import { mkdir } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { z } from 'zod'
import type { WanLink } from '../wan/link.ts'
import { type Door, openDoor } from './door.ts'
import type { ServerSpec } from './machine.ts'
import { addresses, layNetwork, type Netns } from './network.ts'
import { spawnIn } from './netns.ts'
import { cleanStale, startReaper } from './reaper.ts'
import { startRouter } from './router.ts'
import { type RackServer, rackServer } from './server.ts'

export type Rack = {
  name: string
  dir: string
  /** Where the appliance runs: prov0 10.80.0.1, bmc0 10.81.0.1, wan0 10.82.0.2. */
  site: Netns
  /** Where the cloud runs: the far end of the WAN. */
  cloud: { netns: Netns; address: string }
  servers: RackServer[]
  wan: WanLink
  spawnInSite(argv: string[], options?: SpawnOptions): ChildProcess
  spawnInCloud(argv: string[], options?: SpawnOptions): ChildProcess
  /** A loopback port of this process that leads to a port of the cloud's namespace: for API clients and people. */
  openCloud(port: number): Promise<Door>
  /** The same into the site's namespace. */
  openSite(address: string, port: number): Promise<Door>
  stop(): Promise<void>
}

const word = z.string().regex(/^[a-z0-9][a-z0-9-]{0,30}$/, 'a name is lower-case letters, digits and dashes')
const rackOptions = z.object({
  name: word,
  // It becomes part of command lines of QEMU and ipmi_sim, whose own grammars reserve commas, quotes and blanks.
  dir: z.string().regex(/^[\w./-]+$/, 'a rack lives in a path of letters, digits and . _ - only'),
  seed: z.number().int().nonnegative().default(1),
  servers: z
    .array(
      z.object({
        name: word,
        firmware: z.enum(['bios', 'uefi']),
        secureMedia: z.boolean().optional(),
        diskMiB: z.number().int().positive(),
        scsiDisks: z.number().int().min(1).max(8).optional(),
        bmc: z.enum(['ipmi', 'redfish']).optional(),
        memoryMiB: z.number().int().min(128).optional(),
        mac: z
          .string()
          .regex(/^([0-9a-f]{2}:){5}[0-9a-f]{2}$/)
          .optional(),
      } satisfies Record<keyof ServerSpec, z.ZodType>),
    )
    .max(200),
})

let racksOfThisProcess = 0

/** Builds a rack of servers that are off. It is gone after stop(), and in any case when this process ends. */
export async function startRack(options: z.input<typeof rackOptions>): Promise<Rack> {
  const { name, dir, seed, servers } = rackOptions.parse({ ...options, dir: resolve(options.dir) })
  await cleanStale()
  racksOfThisProcess += 1
  const prefix = `bl${process.pid}x${racksOfThisProcess}`
  const stop = startReaper(prefix)
  try {
    await mkdir(dir, { recursive: true })
    const net = await layNetwork(prefix, servers.length, seed)
    await startRouter(net.servers, dir)
    const racked: RackServer[] = []
    for (const [index, spec] of servers.entries()) {
      racked.push(await rackServer(spec, index, net, join(dir, spec.name)))
    }
    return {
      name,
      dir,
      site: net.site,
      cloud: { netns: net.cloud, address: addresses.cloud },
      servers: racked,
      wan: net.wan,
      spawnInSite: (argv, spawnOptions) => spawnIn(net.site, argv, spawnOptions),
      spawnInCloud: (argv, spawnOptions) => spawnIn(net.cloud, argv, spawnOptions),
      openCloud: (port) => openDoor(net.cloud, addresses.cloud, port),
      openSite: (address, port) => openDoor(net.site, address, port),
      stop,
    }
  } catch (error) {
    await stop()
    throw error
  }
}
