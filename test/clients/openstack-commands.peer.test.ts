import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { commandOf, type Shells, tell } from './commands/story.ts'
import { stories } from './commands/stories.ts'
import { rowOf, rows, verdictOf } from './commands/table.ts'
import { type MachinesToHave, openMachines } from './machines.ts'
import { OpenStackShell } from './openstack-shell.ts'

/** docs/openstack-commands.md against the client's own list of its commands, and against what they come to. */

/** Those of their lists that need more words than their own. */
const more = new Map([
  ['limits show', '--absolute'],
  ['quota list', '--compute'],
  ['allocation candidate list', '--resource CUSTOM_BAREMETAL=1'],
])

/** Walked by other tests, or commands of services that are not in the catalogue at all. */
const elsewhere = /^(acl|baremetal|bgp|bgpvpn|ca|container|firewall|object|secret|sfc|vpn) /

let machines: MachinesToHave
let shells: Shells
let commands: string[]
beforeAll(async () => {
  machines = await openMachines(2)
  const { client, members } = machines.fleet
  for (const [index, { uuid }] of members.entries()) {
    await client.nodes.patch(uuid, [
      { op: 'replace', path: '/rescue_interface', value: 'agent' },
      { op: 'replace', path: '/console_interface', value: 'ipmitool-socat' },
    ])
    // A second card, for what a server gets while it lives.
    await client.ports.create({ node_uuid: uuid, address: `52:54:00:cc:00:0${index}` })
  }
  const { OS_PROJECT_NAME: _, OS_PROJECT_DOMAIN_NAME: __, ...person } = machines.settings
  shells = { project: await shellOf(machines.settings), system: await shellOf({ ...person, OS_SYSTEM_SCOPE: 'all' }) }
  const { stdout } = await shells.project.run(['command', 'list', '-f', 'json'])
  const groups = JSON.parse(stdout) as Array<{ Commands: string | string[] }>
  commands = groups.flatMap(({ Commands: own }) => (typeof own === 'string' ? own.split('\n') : own))
}, 180_000)
/** By a token: at each command the client logs in anew, which takes a password ten times as long. */
async function shellOf(settings: Record<string, string>): Promise<OpenStackShell> {
  using passwords = new OpenStackShell(settings)
  const { stdout, stderr } = await passwords.run(['token', 'issue', '-f', 'json'])
  if (stdout === '') throw new Error(`no token: ${stderr}`)
  const { OS_USERNAME: _, OS_PASSWORD: __, OS_USER_DOMAIN_NAME: ___, ...scope } = settings
  const { id: OS_TOKEN } = JSON.parse(stdout) as { id: string }
  return new OpenStackShell({ ...scope, OS_AUTH_TYPE: 'v3token', OS_TOKEN, OS_VOLUME_API_VERSION: '3.60' })
}
afterAll(async () => {
  for (const each of Object.values((shells as Shells | undefined) ?? {})) each[Symbol.dispose]()
  await machines?.stop()
})

describe.each(stories)('the rows of $section', (story) => {
  it('are told by a line each: of what works every command, of what is refused every row', () => {
    const told = story.lines.map((line) => ({ line, command: commandOf(line, commands) }))
    expect(told.filter(({ command }) => command === undefined).map(({ line }) => line.text)).toEqual([])
    const missing = rows
      .filter(({ section }) => section === story.section)
      .flatMap((row) => {
        const own = commands.filter((command) => rowOf(command) === row)
        const isNo = verdictOf(row) === 'no'
        const done = new Set(
          told.flatMap(({ line, command = '' }) =>
            own.includes(command) && (isNo ? line.refused : !line.refused) ? [command] : [],
          ),
        )
        const left = own.filter((command) => !done.has(command) && !Object.hasOwn(story.elsewhere ?? {}, command))
        return isNo && row.isPrefix && done.size > 0 ? [] : left
      })
    expect(missing).toEqual([])
  })

  it('are what comes of them', { timeout: 240_000 }, async () => {
    expect(await tell(story, shells)).toEqual([])
  })
})

describe('the table of commands', () => {
  it('says of each command of the client whether it works', () => {
    expect(commands.length).toBeGreaterThan(500)
    expect(commands.filter((command) => !rowOf(command))).toEqual([])
    expect(rows.filter((row) => !verdictOf(row))).toEqual([])
  })

  it(
    'is right about every list: what is said to work does, and what is said not to is refused',
    { timeout: 240_000 },
    async () => {
      const wrong: string[] = []
      for (const command of commands.filter((each) => /( list|limits show)$/.test(each) && !elsewhere.test(each))) {
        const row = rowOf(command)
        const args = [...command.split(' '), ...(more.get(command)?.split(' ') ?? []), '-f', 'json']
        const run = (as: OpenStackShell) => as.run(args)
        const first = await run(shells.project)
        if (/arguments? (is|are) required|unknown/i.test(first.stderr)) continue
        const said = first.code !== 0 && /system scope/.test(first.stderr) ? await run(shells.system) : first
        const works = said.code === 0
        if (works !== (row !== undefined && verdictOf(row) !== 'no'))
          wrong.push(`${command}: '${row?.verdict}', but ${works ? said.stdout : said.stderr}`)
      }
      expect(wrong).toEqual([])
    },
  )
})
