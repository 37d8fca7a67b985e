import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type MachinesToHave, openMachines } from './machines.ts'
import { OpenStackShell } from './openstack-shell.ts'

/** docs/openstack-commands.md against the client's own list of its commands, and against what they come to. */

interface Row {
  command: string
  /** It stands for all that begins so. */
  isPrefix: boolean
  verdict: string
}

const page = readFileSync(fileURLToPath(new URL('../../docs/openstack-commands.md', import.meta.url)), 'utf8')
const rows: Row[] = [...page.matchAll(/^\| (`.*`)\s+\| (\S.*?)\s*\|$/gm)].flatMap(([, named = '', verdict = '']) =>
  [...named.matchAll(/`([^`]+)`/g)].map(([, text = '']) => ({
    command: text.replace(/…$/, ''),
    isPrefix: text.endsWith('…'),
    verdict,
  })),
)

/** An exact row counts more than a prefix, a longer prefix more than a shorter. */
function rowOf(command: string): Row | undefined {
  const exact = rows.find((row) => !row.isPrefix && row.command === command)
  const begun = rows.filter((row) => row.isPrefix && `${command} `.startsWith(`${row.command} `))
  return exact ?? begun.toSorted((a, b) => b.command.length - a.command.length)[0]
}

/** Those that need more words than their own. */
const more = new Map([
  ['limits show', '--absolute'],
  ['quota list', '--compute'],
  ['allocation candidate list', '--resource CUSTOM_BAREMETAL=1'],
])

/** Walked by other tests, or commands of services that are not in the catalogue at all. */
const elsewhere = /^(acl|baremetal|bgp|bgpvpn|ca|container|firewall|object|secret|sfc|vpn) /

let machines: MachinesToHave
let shells: { project: OpenStackShell; system: OpenStackShell }
let commands: string[]
beforeAll(async () => {
  machines = await openMachines(1)
  const settings: Record<string, string> = { ...machines.settings, OS_VOLUME_API_VERSION: '3.60' }
  const { OS_PROJECT_NAME: _, OS_PROJECT_DOMAIN_NAME: __, ...person } = settings
  shells = {
    project: new OpenStackShell(settings),
    system: new OpenStackShell({ ...person, OS_SYSTEM_SCOPE: 'all' }),
  }
  const { stdout } = await shells.project.run(['command', 'list', '-f', 'json'])
  const groups = JSON.parse(stdout) as Array<{ Commands: string | string[] }>
  commands = groups.flatMap(({ Commands: own }) => (typeof own === 'string' ? own.split('\n') : own))
}, 180_000)
afterAll(async () => {
  for (const each of Object.values(shells ?? {})) each[Symbol.dispose]()
  await machines?.stop()
})

describe('the table of commands', () => {
  it('says of each command of the client whether it works', () => {
    expect(commands.length).toBeGreaterThan(500)
    expect(commands.filter((command) => !rowOf(command))).toEqual([])
    expect(rows.filter(({ verdict }) => !/^(yes|partly|no)\b/.test(verdict))).toEqual([])
  })

  it(
    'is right about every list: what is said to work does, and what is said not to is refused',
    { timeout: 240_000 },
    async () => {
      const wrong: string[] = []
      for (const command of commands.filter((each) => /( list|limits show)$/.test(each) && !elsewhere.test(each))) {
        const verdict = rowOf(command)?.verdict ?? ''
        const args = [...command.split(' '), ...(more.get(command)?.split(' ') ?? []), '-f', 'json']
        const run = (as: OpenStackShell) => as.run(args)
        const first = await run(shells.project)
        if (/arguments? (is|are) required|unknown/i.test(first.stderr)) continue
        const said = first.code !== 0 && /system scope/.test(first.stderr) ? await run(shells.system) : first
        const works = said.code === 0
        if (works !== !verdict.startsWith('no'))
          wrong.push(`${command}: '${verdict}', but ${works ? said.stdout : said.stderr}`)
      }
      expect(wrong).toEqual([])
    },
  )
})
