import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** docs/openstack-commands.md: what each command of the client comes to. */

export interface Row {
  /** The heading under which it stands. */
  section: string
  command: string
  /** It stands for all that begins so. */
  isPrefix: boolean
  verdict: string
}

const page = readFileSync(fileURLToPath(new URL('../../../docs/openstack-commands.md', import.meta.url)), 'utf8')

export const rows: readonly Row[] = page.split(/^## /m).flatMap((text) => {
  const section = text.slice(0, text.indexOf('\n'))
  return [...text.matchAll(/^\| (`.*`)\s+\| (\S.*?)\s*\|$/gm)].flatMap(([, named = '', verdict = '']) =>
    [...named.matchAll(/`([^`]+)`/g)].map(([, command = '']) => ({
      section,
      command: command.replace(/…$/, ''),
      isPrefix: command.endsWith('…'),
      verdict,
    })),
  )
})

/** An exact row counts more than a prefix, a longer prefix more than a shorter. */
export function rowOf(command: string): Row | undefined {
  const exact = rows.find((row) => !row.isPrefix && row.command === command)
  const begun = rows.filter((row) => row.isPrefix && `${command} `.startsWith(`${row.command} `))
  return exact ?? begun.toSorted((a, b) => b.command.length - a.command.length)[0]
}

export type Verdict = 'yes' | 'partly' | 'no'
export const verdictOf = ({ verdict }: Row): Verdict => /^(yes|partly|no)\b/.exec(verdict)?.[0] as Verdict
