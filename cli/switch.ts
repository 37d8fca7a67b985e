import { Command } from 'commander'
import { define } from './context.ts'
import { tabular } from './output.ts'
import { readText } from './values.ts'

interface Wishes {
  address: string
  port?: string
  user: string
  fingerprint: string
  mac?: string
  keyFile?: string
}

export function switchCommand(): Command {
  return new Command('switch')
    .description('switches that a site moves its machines between VLANs on')
    .addCommand(set())
    .addCommand(list())
    .addCommand(remove())
}

function set(): Command {
  const command = new Command('set')
    .argument('<site>')
    .argument('<name>', "as in the ports' local_link_connection/switch_info")
    .description('say how a switch is logged in to; its key is encrypted to the site')
    .requiredOption('--address <host>', 'where it is')
    .option('--port <port>', 'of its SSH')
    .requiredOption('--user <user>', 'who logs in')
    .requiredOption('--fingerprint <SHA256:…>', 'of its own key, as ssh-keygen -l prints it')
    .option('--mac <address>', "as in the ports' local_link_connection/switch_id")
    .option('--key-file <file>', 'the private key to log in with; left out, the one that it has stays')
  return define(
    command,
    [
      'bloomery site switch set berlin tor-1 --address 10.30.0.2 --user admin --fingerprint SHA256:… --key-file tor-1.key',
    ],
    async ({ client, print }, [site, name], { address, port, user, fingerprint, mac, keyFile }: Wishes) => {
      const made = await client.sites.setSwitch(site!, name!, {
        address,
        username: user,
        fingerprint,
        ...(port === undefined ? {} : { port: Number(port) }),
        ...(mac === undefined ? {} : { id: mac }),
        ...(keyFile === undefined ? {} : { private_key: readText(keyFile) }),
      })
      print(made, `Switch ${name} of site ${site} is set.`)
    },
  )
}

function list(): Command {
  const command = new Command('list').argument('<site>').description('the switches of a site')
  return define(command, ['bloomery site switch list berlin'], async ({ client, print }, [site]) => {
    const { switches } = await client.sites.switches(site!)
    const rows = switches.map(({ name, address, port, username }) => [name, `${address}:${port}`, username])
    print(switches, tabular(['NAME', 'ADDRESS', 'USER'], rows))
  })
}

function remove(): Command {
  const command = new Command('delete').argument('<site>').argument('<name>').description('forget a switch')
  return define(command, ['bloomery site switch delete berlin tor-1'], async ({ client, print }, [site, name]) => {
    await client.sites.deleteSwitch(site!, name!)
    print({}, `Switch ${name} of site ${site} is forgotten.`)
  })
}
