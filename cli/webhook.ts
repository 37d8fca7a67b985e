import { Command } from 'commander'
import type { Json } from '../contract/api/route.ts'
import { define } from './context.ts'
import { record, tabular } from './output.ts'
import { UsageError } from './usage.ts'
import { readText } from './values.ts'

export function webhookCommand(): Command {
  return new Command('webhook')
    .description('events of nodes, sent to a URL of yours as they happen')
    .addCommand(create())
    .addCommand(list())
    .addCommand(show())
    .addCommand(set())
    .addCommand(remove())
    .addCommand(failures())
    .addCommand(replay())
}

interface Wishes {
  url?: string
  secretFile?: string
  kind?: string[]
  site?: string[]
  node?: string[]
  state?: string[]
}

/** The options of what is sent, for those commands that say it. */
function wishing(command: Command): Command {
  const many = (value: string, before: string[] = []): string[] => [...before, value]
  return command
    .option('--secret-file <file>', 'what deliveries are signed with; 24 letters or more')
    .option('--kind <kind>', 'only these kinds of events; repeat', many)
    .option('--site <site>', 'only of these sites; repeat', many)
    .option('--node <node>', 'only of these nodes; repeat', many)
    .option('--state <state>', 'only of nodes that come into these states; repeat', many)
}

const secretOf = (file: string | undefined): string | undefined =>
  file === undefined ? undefined : readText(file).trim()

function filterOf({ kind, site, node, state }: Wishes): Json | undefined {
  const filter = { kinds: kind, sites: site, nodes: node, states: state }
  return Object.values(filter).some((each) => each !== undefined) ? filter : undefined
}

function create(): Command {
  const command = wishing(new Command('create').argument('<name>').argument('<url>').description('send events there'))
  return define(
    command,
    [
      'bloomery webhook create pager https://hooks.example/bloomery --state "deploy failed" --state "clean failed"',
      'bloomery webhook create berlin https://hooks.example/berlin --site berlin --secret-file secret',
    ],
    async ({ client, print }, [name, url], wishes: Wishes) => {
      const secret = secretOf(wishes.secretFile)
      const made = await client.webhooks.create({ name, url, secret, filter: filterOf(wishes) })
      const key = secret === undefined ? `\nSecret   ${made.secret}   (shown this once)` : ''
      print(made, `Webhook ${name} made.${key}\nHow to verify deliveries: docs/events.md`)
    },
  )
}

function list(): Command {
  const command = new Command('list').description('all webhooks')
  return define(command, ['bloomery webhook list'], async ({ client, print }) => {
    const hooks = await client.webhooks.list()
    const rows = hooks.map(({ name, url, enabled }) => [name, url, enabled ? 'yes' : 'no'])
    print(hooks, tabular(['NAME', 'URL', 'ENABLED'], rows))
  })
}

function show(): Command {
  const command = new Command('show').argument('<webhook>').description('one webhook, and how its receiver does')
  return define(command, ['bloomery webhook show pager'], async ({ client, print }, [ident]) => {
    const { links: _links, status, filter, ...hook } = await client.webhooks.get(ident!)
    const wanted = Object.fromEntries(Object.entries(filter).filter(([, value]) => value !== null))
    print({ ...hook, filter, status }, record({ ...hook, filter: wanted, ...status }))
  })
}

function set(): Command {
  const command = wishing(new Command('set').argument('<webhook>').description('change a webhook'))
    .option('--url <url>', 'where events go')
    .option('--name <name>')
    .option('--enable', 'also one that was disabled because its receiver failed for days')
    .option('--disable', 'send nothing for the time being; what happens meanwhile is not sent later')
    .option('--all', 'no filter any more')
  return define(
    command,
    ['bloomery webhook set pager --enable', 'bloomery webhook set pager --site berlin --site paris'],
    async ({ client, print }, [ident], options: Wishes & Record<string, unknown>) => {
      const { url, name, enable, disable, all } = options
      const enabled = enable ? true : disable ? false : undefined
      const secret = secretOf(options.secretFile)
      const filter = all ? {} : filterOf(options)
      const patch = Object.entries({ url, name, enabled, secret, filter })
        .filter(([, value]) => value !== undefined)
        .map(([key, value]) => ({ op: 'replace' as const, path: `/${key}`, value }))
      if (patch.length === 0) throw new UsageError('say what to change: see --help')
      print(await client.webhooks.patch(ident!, patch), `Webhook ${ident} changed.`)
    },
  )
}

function remove(): Command {
  const command = new Command('delete').argument('<webhook>').description('send nothing there any more')
  return define(command, ['bloomery webhook delete pager'], async ({ client, print }, [ident]) => {
    await client.webhooks.delete(ident!)
    print({ deleted: ident }, `Webhook ${ident} deleted, with all that waited for it.`)
  })
}

function failures(): Command {
  const command = new Command('failures').argument('<webhook>').description('events that were given up')
  return define(command, ['bloomery webhook failures pager'], async ({ client, print }, [ident]) => {
    const failed = await client.webhooks.failures(ident!)
    const rows = failed.map(({ event, attempts, last_error: why }) => [event.id, event.text, attempts, why])
    print(failed, tabular(['EVENT', 'TEXT', 'ATTEMPTS', 'LAST ANSWER'], rows))
  })
}

function replay(): Command {
  const command = new Command('replay')
    .argument('<webhook>')
    .argument('[event...]', 'of those that were given up; default: all')
    .description('send again what was given up')
  return define(command, ['bloomery webhook replay pager'], async ({ client, print }, [ident, ...events]: string[]) => {
    const reply = await client.webhooks.replay(ident!, events.length > 0 ? { events } : {})
    print(reply, `${reply.replayed} events will be sent again.`)
  })
}
