import { Command } from 'commander'
import { z } from 'zod'
import { type Context, define } from './context.ts'
import { WAIT_SECONDS } from './follow.ts'
import { idOf } from './openstack.ts'
import { printable, record, tabular } from './output.ts'
import { serverCreate } from './server-create.ts'
import { addressesOf, goneServer, listServers, restedServer, SERVERS, showServer } from './server-state.ts'
import { seconds } from './values.ts'

interface Waiting {
  wait?: boolean
  timeout: number
}

export function serverCommand(): Command {
  const group = new Command('server')
    .description('servers as their owners ask for them, on whatever machine fits')
    .addCommand(serverCreate())
    .addCommand(list())
    .addCommand(show())
    .addCommand(remove())
    .addCommand(console())
    .addCommand(events())
  for (const [name, does, body] of actions) group.addCommand(action(name, does, body))
  return group.addCommand(rebuild())
}

const tell = (line: string): void => void process.stderr.write(`${line}\n`)
const idOfServer = ({ openstack }: Context, ident: string): Promise<string> =>
  idOf(openstack, SERVERS, 'servers', ident)

function list(): Command {
  const command = new Command('list')
    .description('servers of the project')
    .option('--all-projects', 'of everybody, for administrators')
  const examples = ['bloomery server list', 'bloomery server list --all-projects --json']
  return define(command, examples, async ({ openstack, print }, _, { allProjects }: { allProjects?: boolean }) => {
    const servers = await listServers(openstack, allProjects ?? false)
    const rows = servers.map((each) => [each.name, each.status, addressesOf(each), each.flavor.original_name, each.id])
    print(servers, tabular(['NAME', 'STATUS', 'ADDRESSES', 'FLAVOR', 'SERVER'], rows))
  })
}

function show(): Command {
  const command = new Command('show')
    .argument('<server>', 'name or id')
    .description('a server, its node, and its fault')
  return define(command, ['bloomery server show web'], async ({ openstack, print }, [ident]) => {
    const server = await showServer(openstack, ident!)
    print(
      server,
      record({
        id: server.id,
        name: server.name,
        status: server.status,
        doing: server['OS-EXT-STS:task_state'],
        addresses: addressesOf(server),
        site: server['OS-EXT-AZ:availability_zone'],
        node: server.hostId,
        flavor: server.flavor.original_name,
        key: server.key_name,
        properties: server.metadata,
        fault: server.fault?.message,
        created: server.created,
      }),
    )
  })
}

function remove(): Command {
  const command = new Command('delete').argument('<server>', 'name or id').description('give a server back')
  return define(
    waits(command),
    ['bloomery server delete web --wait'],
    async (context, [ident], { wait, timeout }: Waiting) => {
      const { openstack, print } = context
      const id = await idOfServer(context, ident!)
      await openstack.ask('DELETE', `${SERVERS}/${id}`)
      if (wait) await goneServer(openstack, id, timeout)
      print({ id }, `Server ${ident} is ${wait ? 'gone' : 'being deleted'}.`)
    },
  )
}

function console(): Command {
  const command = new Command('console')
    .argument('<server>', 'name or id')
    .description('what its site recorded of its serial console; live: bloomery console NODE')
    .option('--lines <number>', 'only the last')
  const examples = ['bloomery server console web', 'bloomery server console web --lines 50']
  return define(command, examples, async (context, [ident], { lines }: { lines?: string }) => {
    const path = `${SERVERS}/${await idOfServer(context, ident!)}/action`
    const asked = { 'os-getConsoleOutput': lines === undefined ? {} : { length: lines } }
    const { output } = z.object({ output: z.string() }).parse(await context.openstack.ask('POST', path, asked))
    context.print({ output }, output.split('\n').map(printable).join('\n'))
  })
}

const happened = z.object({
  instanceActions: z.array(
    z.looseObject({
      action: z.string(),
      start_time: z.string(),
      request_id: z.string(),
      message: z.string().nullable(),
    }),
  ),
})

function events(): Command {
  const command = new Command('events')
    .argument('<server>', 'name or id')
    .description('what was asked of it, and what failed')
  return define(command, ['bloomery server events web'], async (context, [ident]) => {
    const path = `${SERVERS}/${await idOfServer(context, ident!)}/os-instance-actions`
    const { instanceActions: all } = happened.parse(await context.openstack.ask('GET', path))
    const rows = all.map((each) => [each.start_time, each.action, each.message ?? '', each.request_id])
    context.print(all, tabular(['AT', 'ACTION', 'FAULT', 'REQUEST'], rows))
  })
}

const actions: Array<[string, string, object]> = [
  ['start', 'switch it on', { 'os-start': null }],
  ['stop', 'switch it off, by its operating system where that listens', { 'os-stop': null }],
  ['reboot', 'switch it off and on', { reboot: { type: 'HARD' } }],
  ['rescue', 'start it from the site, with its disk as it is', { rescue: null }],
  ['unrescue', 'start it from its disk again', { unrescue: null }],
]

function action(name: string, does: string, body: object): Command {
  const command = new Command(name).argument('<server>', 'name or id').description(does)
  return define(waits(command), [`bloomery server ${name} web --wait`], (context, [ident], options: Waiting) =>
    act(context, ident!, body, options),
  )
}

function rebuild(): Command {
  const command = new Command('rebuild')
    .argument('<server>', 'name or id')
    .description('write an image anew: what was on its disk is lost')
    .requiredOption('--image <image>', 'name or id')
  const examples = ['bloomery server rebuild web --image debian-12 --wait']
  return define(waits(command), examples, async (context, [ident], options: Waiting & { image: string }) => {
    const imageRef = await idOf(context.openstack, '/image/v2/images', 'images', options.image)
    await act(context, ident!, { rebuild: { imageRef } }, options)
  })
}

async function act(context: Context, ident: string, body: object, { wait, timeout }: Waiting): Promise<void> {
  const id = await idOfServer(context, ident)
  const reply = await context.openstack.ask('POST', `${SERVERS}/${id}/action`, body)
  if (wait) await restedServer(context.openstack, id, timeout, tell)
  const password = z.object({ adminPass: z.string() }).safeParse(reply).data?.adminPass
  const told = password === undefined ? '' : ` Its password for user rescue: ${password}`
  context.print(reply ?? { id }, `Server ${ident}: ${wait ? 'done' : 'told'}.${told}`)
}

function waits(command: Command): Command {
  return command
    .option('--wait', 'until that is done')
    .option('--timeout <seconds>', 'of --wait', seconds, WAIT_SECONDS)
}
