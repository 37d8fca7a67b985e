import { Command, InvalidArgumentError, Option } from 'commander'
import type { RackServer } from '../rack/qemu/server.ts'

export interface DemoOptions {
  servers: RackServer['firmware'][]
  image: 'debian' | 'small'
  once: boolean
  tour: boolean
  undeploy: boolean
}

const MOST_SERVERS = 8

/** `run` gets what was asked for; help and wrong usage end here. */
export async function withOptions(argv: readonly string[], run: (options: DemoOptions) => Promise<void>) {
  await new Command('npm run demo --')
    .description(
      'Starts a cloud, an appliance and a rack of blank machines in QEMU, and asks for a server on each by OpenStack’s client.',
    )
    .option('--servers <firmware,…>', 'one machine each: bios or uefi', firmwares, firmwares('bios,uefi'))
    .addOption(
      new Option('--image <image>', 'Debian 12, or a 72 MiB one that has little but ssh')
        .choices(['debian', 'small'])
        .default('debian'),
    )
    .option('--once', 'stop when everything is shown, instead of at Ctrl-C', false)
    .option(
      '--tour',
      'boot a server from a volume before, and reboot, rescue and rebuild the first one too (5 minutes more)',
      false,
    )
    .option('--undeploy', 'before it stops, give the servers back: cleaned and available', false)
    .addHelpText(
      'after',
      `
It needs root on Debian 12, 5 GB of disk, and 1 GB of memory for each machine. Everything of it is in .cache/demo.

Examples:
  npm run demo
  npm run demo -- --servers uefi --image small --once --tour --undeploy`,
    )
    .action(run)
    .parseAsync(argv, { from: 'user' })
}

function firmwares(text: string): RackServer['firmware'][] {
  const words = text.split(',')
  if (words.length > MOST_SERVERS) throw new InvalidArgumentError(`at most ${MOST_SERVERS} servers`)
  return words.map((word) => {
    if (word === 'bios' || word === 'uefi') return word
    throw new InvalidArgumentError(`'${word}' is neither bios nor uefi`)
  })
}
