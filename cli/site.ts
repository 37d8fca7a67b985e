import { Command } from 'commander'
import { define } from './context.ts'
import { tabular } from './output.ts'
import { switchCommand } from './switch.ts'

export function siteCommand(): Command {
  return new Command('site')
    .description('places with racks, each with at least one appliance')
    .addCommand(create())
    .addCommand(list())
    .addCommand(enrol())
    .addCommand(switchCommand())
}

function create(): Command {
  const command = new Command('create').argument('<name>').description('make a site').option('--description <text>')
  return define(
    command,
    ['bloomery site create berlin --description "Hall 2"'],
    async ({ client, print }, [name], { description }: { description?: string }) => {
      const site = await client.sites.create(name!, description)
      print(site, `Site ${site.name} made. Next: bloomery site enrol ${site.name}`)
    },
  )
}

function list(): Command {
  const command = new Command('list').description('all sites and their appliances')
  return define(command, ['bloomery site list', 'bloomery site list --json'], async ({ client, print }) => {
    const [sites, appliances] = [await client.sites.list(), await client.conductors.list()]
    const rows = sites.map(({ name, description }) => {
      const here = appliances.filter(({ conductor_group }) => conductor_group === name)
      const names = here.map(({ hostname, alive }) => `${hostname}${alive ? '' : ' (not heard of)'}`)
      return [name, names.join(', '), description]
    })
    print({ sites, appliances }, tabular(['SITE', 'APPLIANCES', 'DESCRIPTION'], rows))
  })
}

function enrol(): Command {
  const command = new Command('enrol')
    .argument('<site>')
    .description('make a one-time token by which an appliance joins the site')
  return define(command, ['bloomery site enrol berlin'], async ({ client, print, endpoint, ca }, [site]) => {
    const { token, expires_at } = await client.sites.createToken(site!)
    const trusting = ca ? ' --ca authorities.pem' : ''
    const run = `BLOOMERY_TOKEN=${token} bloomery appliance enrol --endpoint ${endpoint}${trusting} --name NAME`
    const copy = ca ? `\n(copy ${ca} there as authorities.pem first)` : ''
    print(
      { token, expires_at, command: run },
      `Token     ${token}\nExpires   ${expires_at}\n\nOn the appliance${copy}:\n  ${run}`,
    )
  })
}
