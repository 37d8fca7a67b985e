import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Command, Option } from 'commander'
import { buildAgent } from '../bundle.ts'
import { buildRamdisk, type Ramdisk } from './build.ts'
import { architectureOf, type Flavour, flavours } from './kernel.ts'
import { pinnedNode } from './node-program.ts'
import { signedLoaders } from './signed-loaders.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))

type Arguments = { flavour: Flavour; agent?: string; node?: string; out?: string; twice?: boolean }

const program = new Command('ramdisk')
  .description('Builds the deploy ramdisk (kernel and initrd) from Debian packages, Node and the agent.')
  .addOption(new Option('--flavour <name>', 'kernel').choices(flavours).default('cloud-amd64'))
  .option('--agent <file>', 'bundled agent; without it the agent is bundled now')
  .option('--node <file>', 'the Node program to put in; without it the pinned one')
  .option('--out <folder>', 'where vmlinuz and initrd go (default: .cache/ramdisk/<flavour>)')
  .option('--twice', 'build twice from nothing and fail unless both are equal, byte for byte')
  .action(main)

async function main(given: Arguments): Promise<void> {
  const scratch = await mkdtemp(join(tmpdir(), 'ramdisk-'))
  try {
    const agentBundle = given.agent ?? join(scratch, 'agent.mjs')
    if (!given.agent) await buildAgent(agentBundle)
    const out = given.out ?? join(root, '.cache/ramdisk', given.flavour)
    const node = given.node ?? (await pinnedNode(architectureOf(given.flavour), join(root, '.cache')))
    const build = (cache?: string) =>
      buildRamdisk({ flavour: given.flavour, agentBundle, node, out, cache, log: console.log })
    const first = await build(given.twice ? join(scratch, 'first') : undefined)
    report(first)
    const { shim, grub } = await signedLoaders(architectureOf(given.flavour), join(root, '.cache'), out)
    console.log(`loaders ${shim}, ${grub}`)
    if (given.twice) assertEqual(first, await build(join(scratch, 'second')))
  } finally {
    await rm(scratch, { recursive: true, force: true })
  }
}

function report({ kernel, initrd, bytes, sha256 }: Ramdisk): void {
  console.log(`kernel ${kernel}\ninitrd ${initrd}: ${(bytes / 1e6).toFixed(1)} MB, sha256 ${sha256}`)
}

function assertEqual(first: Ramdisk, second: Ramdisk): void {
  if (first.sha256 !== second.sha256)
    throw new Error(`two builds of the same recipe differ: ${first.sha256} and ${second.sha256}`)
  console.log('built twice from nothing: equal byte for byte')
}

await program.parseAsync().catch((error: unknown) => {
  console.error(`ramdisk: ${error instanceof Error ? error.message : String(error)}`)
  process.exitCode = 1
})
