import { Command } from 'commander'
import { type Context, define } from './context.ts'
import { WAIT_SECONDS } from './follow.ts'
import { idOf } from './openstack.ts'
import { record, tabular } from './output.ts'
import { SERVERS } from './server-state.ts'
import { collect, seconds, whole } from './values.ts'
import {
  createVolume,
  idOfVolume,
  listVolumes,
  restedVolume,
  showVolume,
  type VolumeView,
  VOLUMES,
} from './volume-state.ts'

interface Waiting {
  wait?: boolean
  timeout: number
}

export function volumeCommand(): Command {
  return new Command('volume')
    .description('disks at a site, which machines boot from or find beside their own')
    .addCommand(create())
    .addCommand(list())
    .addCommand(show())
    .addCommand(remove())
    .addCommand(attach())
    .addCommand(detach())
}

const serversOf = ({ attachments }: VolumeView): string =>
  attachments.map((each) => each.host_name ?? each.server_id ?? '').join(', ')

interface Creating extends Waiting {
  size?: number
  image?: string
  snapshot?: string
  zone?: string
  property?: Record<string, string>
}

const MOST_GIB = 65_536

function create(): Command {
  const command = new Command('create')
    .argument('<name>')
    .description('make a volume, empty or of an image or a snapshot')
    .option('--size <gib>', 'default: that of the snapshot', whole(MOST_GIB))
    .option('--image <image>', 'name or id; it can be booted from then')
    .option('--snapshot <snapshot>', 'name or id')
    .option('--zone <site>', 'default: where there is most room')
    .option('--property <key=value>', 'of the volume itself', collect)
  const examples = [
    'bloomery volume create data --size 20 --zone berlin --wait',
    'bloomery volume create root --size 20 --image debian-12 --wait',
  ]
  return define(waits(command), examples, async ({ openstack, print }, [name], options: Creating) => {
    const { size, image, snapshot, zone, property, wait, timeout } = options
    const made = await createVolume(openstack, {
      name,
      ...(size !== undefined && { size }),
      ...(image !== undefined && { imageRef: await idOf(openstack, '/image/v2/images', 'images', image) }),
      ...(snapshot !== undefined && {
        snapshot_id: await idOf(openstack, '/volume/v3/snapshots', 'snapshots', snapshot),
      }),
      ...(zone !== undefined && { availability_zone: zone }),
      ...(property && { metadata: property }),
    })
    if (!wait) return print(made, `Volume ${name} is being made: bloomery volume show ${name}`)
    print(await restedVolume(openstack, made.id, timeout), `Volume ${name} is available.`)
  })
}

function list(): Command {
  const command = new Command('list')
    .description('volumes of the project')
    .option('--all-projects', 'of everybody, for administrators')
  const examples = ['bloomery volume list', 'bloomery volume list --all-projects --json']
  return define(command, examples, async ({ openstack, print }, _, { allProjects }: { allProjects?: boolean }) => {
    const volumes = await listVolumes(openstack, allProjects ?? false)
    const rows = volumes.map((each) => [
      each.name,
      each.status,
      each.size,
      each.availability_zone,
      serversOf(each),
      each.id,
    ])
    print(volumes, tabular(['NAME', 'STATUS', 'GIB', 'SITE', 'MACHINE', 'VOLUME'], rows))
  })
}

function show(): Command {
  const command = new Command('show')
    .argument('<volume>', 'name or id')
    .description('a volume, where it is, who has it, and what went wrong with it')
  return define(command, ['bloomery volume show data'], async ({ openstack, print }, [ident]) => {
    const volume = await showVolume(openstack, await idOfVolume(openstack, ident!))
    print(
      volume,
      record({
        id: volume.id,
        name: volume.name,
        status: volume.status,
        gib: volume.size,
        site: volume.availability_zone,
        bootable: volume.bootable,
        machine: serversOf(volume),
        properties: volume.metadata,
        fault: volume['bloomery:fault'],
        created: volume.created_at,
      }),
    )
  })
}

function remove(): Command {
  const command = new Command('delete')
    .argument('<volume>', 'name or id')
    .description('delete a volume: what is on it is lost')
  return define(
    waits(command),
    ['bloomery volume delete data --wait'],
    async ({ openstack, print }, [ident], { wait, timeout }: Waiting) => {
      const id = await idOfVolume(openstack, ident!)
      await openstack.ask('DELETE', `${VOLUMES}/${id}`)
      if (wait) await restedVolume(openstack, id, timeout)
      print({ id }, `Volume ${ident} is ${wait ? 'gone' : 'being deleted'}.`)
    },
  )
}

function attach(): Command {
  const command = new Command('attach')
    .argument('<volume>', 'name or id')
    .argument('<server>', 'name or id; it has to be off, and finds the volume when it starts')
    .description('give a volume to a server')
  return define(waits(command), ['bloomery volume attach data web --wait'], (context, names, options: Waiting) =>
    moved(context, names, options, async (path, volumeId) => {
      await context.openstack.ask('POST', path, { volumeAttachment: { volumeId } })
    }),
  )
}

function detach(): Command {
  const command = new Command('detach')
    .argument('<volume>', 'name or id')
    .argument('<server>', 'name or id; it has to be off')
    .description('take a volume from a server')
  return define(waits(command), ['bloomery volume detach data web --wait'], (context, names, options: Waiting) =>
    moved(context, names, options, async (path, id) => {
      await context.openstack.ask('DELETE', `${path}/${id}`)
    }),
  )
}

async function moved(
  { openstack, print }: Context,
  [volume, server]: string[],
  { wait, timeout }: Waiting,
  ask: (path: string, volume: string) => Promise<void>,
): Promise<void> {
  const id = await idOfVolume(openstack, volume!)
  await ask(`${SERVERS}/${await idOf(openstack, SERVERS, 'servers', server!)}/os-volume_attachments`, id)
  const now = wait ? await restedVolume(openstack, id, timeout) : await showVolume(openstack, id)
  print(now ?? { id }, `Volume ${volume} is ${now?.status ?? 'gone'}.`)
}

function waits(command: Command): Command {
  return command
    .option('--wait', 'until its site has done it')
    .option('--timeout <seconds>', 'of --wait', seconds, WAIT_SECONDS)
}
