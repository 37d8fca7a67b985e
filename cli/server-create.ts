import { Command } from 'commander'
import { z } from 'zod'
import { define } from './context.ts'
import { WAIT_SECONDS } from './follow.ts'
import { idOf } from './openstack.ts'
import { addressesOf, restedServer, SERVERS } from './server-state.ts'
import { UsageError } from './usage.ts'
import { collect, readText, seconds } from './values.ts'
import { VOLUMES } from './volume-state.ts'

interface Creating {
  flavor: string
  image?: string
  volume?: string
  dataVolume: string[]
  network: string[]
  key?: string
  userData?: string
  zone?: string
  property?: Record<string, string>
  wait?: boolean
  timeout: number
}

const both = (one: string, before: string[]): string[] => [...before, one]

export function serverCreate(): Command {
  const command = new Command('create')
    .argument('<name>')
    .description('ask for a server: a machine that fits the flavor is found, wired and deployed')
    .requiredOption('--flavor <flavor>', 'name or id')
    .option('--image <image>', 'name or id: written to the disk of the machine')
    .option('--volume <volume>', 'name or id: booted from, in place of an image')
    .option('--data-volume <volume>', 'name or id: found beside that; several times for several', both, [])
    .option(
      '--network <network>',
      'name or id; several times for several cards. Default: the only one there is',
      both,
      [],
    )
    .option('--key <name>', 'key pair whose owner may log in')
    .option('--user-data <file>', 'for cloud-init')
    .option('--zone <site>', 'availability zone')
    .option('--property <key=value>', 'of the server itself', collect)
    .option('--wait', 'until it runs')
    .option('--timeout <seconds>', 'of --wait', seconds, WAIT_SECONDS)
  const examples = [
    'bloomery server create web --flavor metal --image debian-12 --network rack --key mine --wait',
    'bloomery server create db --flavor metal --image debian-12 --zone berlin --user-data cloud-config.yaml',
    'bloomery server create db --flavor metal --volume root --data-volume data --network rack',
  ]
  return define(command, examples, async ({ openstack, print }, [name], options: Creating) => {
    const id = (list: string, key: string, ident: string): Promise<string> => idOf(openstack, list, key, ident)
    const networks = options.network.map(async (each) => ({
      uuid: await id('/network/v2.0/networks', 'networks', each),
    }))
    const { userData, key, zone, property, image, volume, dataVolume } = options
    if ((image === undefined) === (volume === undefined)) throw new UsageError('say either --image or --volume')
    const named = [...(volume === undefined ? [] : [volume]), ...dataVolume]
    const disks = named.map(async (each) => ({
      uuid: await id(VOLUMES, 'volumes', each),
      source_type: 'volume',
      destination_type: 'volume',
      boot_index: each === volume ? 0 : -1,
    }))
    const body = {
      name,
      flavorRef: await id('/compute/v2.1/flavors', 'flavors', options.flavor),
      ...(image !== undefined && { imageRef: await id('/image/v2/images', 'images', image) }),
      ...(disks.length > 0 && { block_device_mapping_v2: await Promise.all(disks) }),
      networks: networks.length === 0 ? 'auto' : await Promise.all(networks),
      ...(key !== undefined && { key_name: key }),
      ...(userData !== undefined && { user_data: Buffer.from(readText(userData)).toString('base64') }),
      ...(zone !== undefined && { availability_zone: zone }),
      ...(property && { metadata: property }),
    }
    const made = z
      .object({ server: z.looseObject({ id: z.string() }) })
      .parse(await openstack.ask('POST', SERVERS, { server: body })).server
    if (!options.wait) return print(made, `Server ${name} is being made: bloomery server show ${name}`)
    const server = await restedServer(openstack, made.id, options.timeout, (line) => process.stderr.write(`${line}\n`))
    print(server, `Server ${name} runs: ${addressesOf(server) || 'no address'}`)
  })
}
