import { Command } from 'commander'
import { define } from './context.ts'

/** What is done with appliances from afar; `bloomery site list` shows them. */

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
