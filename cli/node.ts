import { Command } from 'commander'
import type { NodeView } from '../contract/api/views.ts'
import type { PowerTarget } from '../contract/resources.ts'
import { captureCommand } from './capture.ts'
import { define } from './context.ts'
import { logsCommand } from './logs.ts'
import { healthCommand, sensorsCommand } from './health.ts'
import { record, tabular } from './output.ts'
import { collect, seconds, typed } from './values.ts'
import { follow, WAIT_SECONDS } from './follow.ts'
import { UsageError } from './usage.ts'

export function nodeCommand(): Command {
  return new Command('node')
    .description('servers')
    .addCommand(create())
    .addCommand(list())
    .addCommand(show())
    .addCommand(move('manage', 'manageable', 'verify that the BMC can be used'))
    .addCommand(move('provide', 'available', 'clean the node and offer it for deployment'))
    .addCommand(power())
    .addCommand(captureCommand())
    .addCommand(logsCommand())
    .addCommand(healthCommand())
    .addCommand(sensorsCommand())
}

interface Creating {
  site?: string
  driver: string
  name?: string
  driverInfo?: Record<string, string>
  property?: Record<string, string>
  resourceClass?: string
  consoleInterface?: string
  rescueInterface?: string
  storageInterface?: string
}

function create(): Command {
  const command = new Command('create')
    .description('make a node known')
    .option('--name <name>')
    .option('--site <site>', 'where it stands; needed when there are several')
    .option('--driver <driver>', 'how its BMC is spoken to', 'ipmi')
    .option(
      '--driver-info <key=value>',
      'of the BMC; repeat. @FILE reads the value from a file, @- from standard input',
      collect,
    )
    .option('--property <key=value>', 'of the machine, such as capabilities=boot_mode:uefi; repeat', collect)
    .option('--resource-class <class>')
    .option('--console-interface <name>', 'such as ipmitool-socat, for `bloomery console`')
    .option('--rescue-interface <name>', 'such as agent')
    .option('--storage-interface <name>', 'such as cinder, for servers that boot from volumes')
  return define(
    command,
    [
      'bloomery node create --name n1 --site berlin --driver-info ipmi_address=10.0.0.5 \\',
      '    --driver-info ipmi_username=admin --driver-info ipmi_password=@password-file',
    ],
    async (
      { client, print },
      _,
      { site, driver, name, driverInfo, property, resourceClass, ...interfaces }: Creating,
    ) => {
      const node = await client.nodes.create({
        driver,
        name,
        conductor_group: site,
        driver_info: driverInfo,
        properties: property && typed(property),
        resource_class: resourceClass,
        console_interface: interfaces.consoleInterface,
        rescue_interface: interfaces.rescueInterface,
        storage_interface: interfaces.storageInterface,
      })
      print(node, `Node ${node.uuid} made. Next: bloomery port create --node ${name ?? node.uuid} --address MAC`)
    },
  )
}

function list(): Command {
  const command = new Command('list')
    .description('all nodes, or those of a site or state')
    .option('--site <site>')
    .option('--state <state>', 'provision state, such as available')
    .option('--health <health>', 'ok, warning, critical or unknown')
  return define(
    command,
    [
      'bloomery node list',
      'bloomery node list --site berlin --state available --json',
      'bloomery node list --health critical',
    ],
    async ({ client, print }, _, { site, state, health }: { site?: string; state?: string; health?: string }) => {
      const nodes = await client.nodes.list({ detail: true, conductor_group: site, provision_state: state, health })
      const rows = nodes.map((node) => [
        node.name ?? node.uuid,
        node.conductor_group,
        node.power_state,
        node.provision_state,
        node.health,
        node.maintenance ? 'maintenance' : (node.operation?.note ?? node.last_error),
      ])
      print(nodes, tabular(['NODE', 'SITE', 'POWER', 'STATE', 'HEALTH', 'NOTE'], rows))
    },
  )
}

function show(): Command {
  const command = new Command('show').argument('<node>', 'name or UUID').description('everything known of a node')
  return define(
    command,
    ['bloomery node show n1', 'bloomery node show n1 --json'],
    async ({ client, print }, [ident]) => {
      const node = await client.nodes.get(ident!)
      const { links: _links, ports: _ports, states: _states, ...rest } = node
      const { name, uuid, conductor_group, provision_state, power_state, last_error } = node
      const first = { name, uuid, conductor_group, provision_state, power_state, last_error }
      print(node, record({ ...first, ...rest }))
    },
  )
}

function move(
  verb: 'manage' | 'provide',
  goal: NonNullable<NodeView['provision_state']>,
  description: string,
): Command {
  const command = new Command(verb)
    .argument('<node>', 'name or UUID')
    .description(description)
    .option('--wait', 'until it is done, with its progress')
    .option('--timeout <seconds>', 'of --wait', seconds, WAIT_SECONDS)
  return define(
    command,
    [`bloomery node ${verb} n1`, `bloomery node ${verb} n1 --wait`],
    async (context, [ident], { wait, timeout }: { wait?: boolean; timeout: number }) => {
      const start = (): Promise<void> => context.client.nodes.provision(ident!, verb)
      if (wait) return follow(context, ident!, goal, timeout, start)
      await start()
      context.print(
        { node: ident, target: goal },
        `Node ${ident} is on its way to ${goal}: bloomery node show ${ident}`,
      )
    },
  )
}

const powerWords: Record<string, PowerTarget> = {
  on: 'power on',
  off: 'power off',
  reboot: 'rebooting',
  'soft-off': 'soft power off',
  'soft-reboot': 'soft rebooting',
}

function power(): Command {
  const words = Object.keys(powerWords).join(' | ')
  const command = new Command('power')
    .argument('<node>', 'name or UUID')
    .argument('<target>', words)
    .description('switch a node')
  return define(
    command,
    ['bloomery node power n1 on', 'bloomery node power n1 soft-off'],
    async ({ client, print }, [ident, word]) => {
      const target = powerWords[word!]
      if (!target) throw new UsageError(`${word} is not one of ${words}`)
      await client.nodes.power(ident!, target)
      print({ node: ident, target }, `Node ${ident}: ${target} asked for.`)
    },
  )
}
