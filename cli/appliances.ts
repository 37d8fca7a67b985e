import { Command } from 'commander'
import type { ConductorView } from '../contract/api/views.ts'
import { define } from './context.ts'
import { record, tabular } from './output.ts'

/** What is done with appliances from afar. */

const fields = 'hostname,conductor_group,alive,created_at,updated_at,certificate_expires_at'

export function listCommand(): Command {
  const command = new Command('list').description('all of them: site, last heard of, end of certificate')
  return define(command, ['bloomery appliance list', 'bloomery appliance list --json'], async ({ client, print }) => {
    const appliances = await client.conductors.list({ detail: false, fields })
    const rows = appliances.map((each) => [
      each.hostname,
      each.conductor_group,
      each.alive ? 'yes' : 'no',
      each.updated_at,
      certificate(each),
    ])
    print(appliances, tabular(['NAME', 'SITE', 'ALIVE', 'HEARD OF', 'CERTIFICATE ENDS'], rows))
  })
}

export function showCommand(): Command {
  const command = new Command('show').argument('<name>').description('one of them')
  return define(command, ['bloomery appliance show rack-7'], async ({ client, print }, [name]) => {
    const appliance = await client.conductors.get(name!, { fields })
    const { hostname, conductor_group, alive, created_at, updated_at } = appliance
    print(
      appliance,
      record({
        name: hostname,
        site: conductor_group,
        alive,
        enrolled: created_at,
        heard_of: updated_at,
        certificate_ends: certificate(appliance),
      }),
    )
  })
}

function certificate({ certificate_expires_at: ends }: ConductorView): string {
  return ends ?? 'not known: update the appliance'
}

export function renameCommand(): Command {
  const command = new Command('rename').argument('<name>').argument('<new name>').description('give it another name')
  return define(
    command,
    ['bloomery appliance rename rack-7 hall-2'],
    async ({ client, print }, [name, wanted]: string[]) => {
      const renamed = await client.conductors.patch(name!, [{ op: 'replace', path: '/hostname', value: wanted }])
      print(renamed, `Appliance ${name} is ${wanted} now.`)
    },
  )
}

export function deleteCommand(): Command {
  const command = new Command('delete')
    .argument('<name>')
    .description('forget one that is dead: its certificate is revoked, its name is free again')
    .option('--force', 'one that is alive, too')
  return define(
    command,
    ['bloomery appliance delete rack-7'],
    async ({ client, print }, [name], { force = false }: { force?: boolean }) => {
      await client.conductors.delete(name!, { force })
      print({ deleted: name }, `Appliance ${name} deleted.`)
    },
  )
}
