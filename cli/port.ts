import { Command } from 'commander'
import { define } from './context.ts'
import { tabular } from './output.ts'

export function portCommand(): Command {
  return new Command('port')
    .description('network interfaces by which nodes boot')
    .addCommand(create())
    .addCommand(list())
}

function create(): Command {
  const command = new Command('create')
    .description('tell a MAC address of a node')
    .requiredOption('--node <node>', 'name or UUID')
    .requiredOption('--address <mac>')
    .option('--no-pxe', 'the node never boots from this one')
  return define(
    command,
    ['bloomery port create --node n1 --address 52:54:00:aa:00:01'],
    async ({ client, print }, _, { node, address, pxe }: { node: string; address: string; pxe: boolean }) => {
      const { uuid } = await client.nodes.get(node)
      const port = await client.ports.create({ node_uuid: uuid, address, pxe_enabled: pxe })
      print(port, `Port ${port.address} of node ${node} made.`)
    },
  )
}

function list(): Command {
  const command = new Command('list').description('all ports, or those of a node').option('--node <node>')
  return define(
    command,
    ['bloomery port list', 'bloomery port list --node n1'],
    async ({ client, print }, _, { node }: { node?: string }) => {
      const ports = node === undefined ? await client.ports.list({ detail: true }) : await client.nodes.ports(node)
      const rows = ports.map((port) => [port.address, port.node_uuid, port.pxe_enabled ? 'yes' : 'no', port.uuid])
      print(ports, tabular(['ADDRESS', 'NODE', 'BOOTS', 'PORT'], rows))
    },
  )
}
