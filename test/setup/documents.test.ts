import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Command } from 'commander'
import { expect, test } from 'vitest'
import { applianceConfig } from '../../appliance/config.ts'
import { applianceCommand } from '../../cli/appliance.ts'
import { deployCommand, undeployCommand } from '../../cli/deploy.ts'
import { imageCommand } from '../../cli/image.ts'
import { nodeCommand } from '../../cli/node.ts'
import { portCommand } from '../../cli/port.ts'
import { siteCommand } from '../../cli/site.ts'
import { serveCommand } from '../../standalone/main.ts'

const project = join(import.meta.dirname, '../..')
const read = (path: string): string => readFileSync(join(project, path), 'utf8')
const readme = read('README.md')
const fences = (language: string): string[] =>
  [...readme.matchAll(/^```(\w+)\n(.*?)^```$/gms)].flatMap(([, of, text]) => (of === language ? [text!] : []))

test('every link of a document to a file leads to one', () => {
  const listing = ['ls-files', '--cached', '--others', '--exclude-standard', '*.md']
  const documents = execFileSync('git', listing, { cwd: project, encoding: 'utf8' }).trim().split('\n')
  expect(documents).toContain('README.md')
  const broken = documents.filter(existing).flatMap((document) =>
    [...read(document).matchAll(/\]\(([^)\s]+)\)/g)]
      .map(([, target]) => target!)
      .filter((target) => !/^(https?:|#)/.test(target))
      .filter((target) => !existing(join(dirname(document), target.replace(/#.*$/, ''))))
      .map((target) => `${document}: ${target}`),
  )
  expect(broken).toEqual([])
})

test.each(['README.md', 'CONTRIBUTING.md'])('the rooms of %s exist, and each has its README', (document) => {
  const rooms = [...read(document).matchAll(/^\| \[([a-z]+)\//gm)].map(([, room]) => room!)
  expect(rooms).toEqual(expect.arrayContaining(['contract', 'lambdas', 'appliance', 'agent', 'test']))
  const without = rooms.filter((room) => !['protocols', 'docs'].includes(room) && !existing(`${room}/README.md`))
  expect(without).toEqual([])
})

test('the appliance’s configuration of the README is valid', () => {
  const [example] = fences('json')
  const parsed = applianceConfig.safeParse(JSON.parse(example!))
  expect(parsed.error?.message).toBeUndefined()
  expect(parsed.data?.boot.subnets[0]?.leaseSeconds).toBe(3600)
})

test('every command line of the README is one that the CLI has', () => {
  const lines = fences('sh')
    .flatMap((text) => text.replaceAll('\\\n', ' ').split('\n'))
    .flatMap((line) => /(?:^|\s)bloomery ((?:[^#])*)/.exec(line.replace(/#.*$/, ''))?.[1] ?? [])
  expect(lines.length).toBeGreaterThan(10)
  expect(lines.flatMap(unknown)).toEqual([])
})

const commands = [
  serveCommand(),
  siteCommand(),
  nodeCommand(),
  portCommand(),
  imageCommand(),
  deployCommand(),
  undeployCommand(),
  applianceCommand(),
]
const everywhere = ['--endpoint', '--ca', '--json']

/** What of a command line the CLI doesn't know. */
function unknown(line: string): string[] {
  const words = line.trim().split(/\s+/)
  let command: Command | undefined
  for (let among: readonly Command[] = commands; among.length > 0; among = command.commands) {
    const word = words.shift()
    command = among.find((one) => one.name() === word)
    if (!command) return [`${word} (of: ${line})`]
  }
  const known = [...everywhere, ...(command?.options ?? []).flatMap(({ long }) => long ?? [])]
  return words.filter((word) => word.startsWith('--') && !known.includes(word))
}

function existing(path: string): boolean {
  return existsSync(join(project, path))
}
