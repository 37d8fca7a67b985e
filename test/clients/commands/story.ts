import { setTimeout as pause } from 'node:timers/promises'
import type { OpenStackShell, Said } from '../openstack-shell.ts'

/** What is done with the client, line by line, in the words of its user: `{name}` is what an earlier line kept. */
export interface Line {
  text: string
  /** It is refused, with such words; else it works. */
  refused?: RegExp
  /** What it prints. */
  says?: RegExp
  /** Fields of what it prints, of a list's first, by the names under which later lines have them. */
  keep?: Readonly<Record<string, string>>
  /** Done again until it works and says so: what it shows comes by itself. */
  comes?: boolean
  /** A token for everything rather than for the project. */
  system?: boolean
}

export interface Story {
  /** The heading of the rows in docs/openstack-commands.md. */
  section: string
  lines: readonly Line[]
  /** Commands that need more than a machine on paper, and the test that has it. */
  elsewhere?: Readonly<Record<string, string>>
}

type More = Omit<Line, 'text' | 'refused'>
export const works = (text: string, more: More = {}): Line => ({ text, ...more })
export const refuses = (text: string, refused: RegExp, more: More = {}): Line => ({ text, refused, ...more })
/** Works, by and by. */
export const comes = (text: string, says: RegExp, more: More = {}): Line => ({ text, says, comes: true, ...more })

export interface Shells {
  project: OpenStackShell
  system: OpenStackShell
}

const PATIENCE_MS = 45_000
const LOOK_MS = 200

/** What was not as it is written. */
export async function tell(story: Story, shells: Shells): Promise<string[]> {
  const kept = new Map<string, string>()
  const wrong: string[] = []
  for (const line of story.lines) {
    const text = line.text.replaceAll(/\{(\w+)\}/g, (_, name: string) => kept.get(name) ?? `no-${name}`)
    const until = Date.now() + (line.comes ? PATIENCE_MS : 0)
    let why: string | undefined
    for (;;) {
      const said = await (line.system ? shells.system : shells.project).run(argumentsOf(text, line))
      why = complaint(line, said)
      if (why === undefined) keep(line, said, kept)
      if (why === undefined || Date.now() > until) break
      await pause(LOOK_MS)
    }
    if (why !== undefined) wrong.push(`${text}: ${why}`)
    // What comes after it is about something else than it says.
    if (why !== undefined && line.comes) break
  }
  return wrong
}

/** As a shell takes them: what stands in single quotes is one. */
function argumentsOf(text: string, { keep: wanted }: Line): string[] {
  const words = text.match(/(?:'[^']*'|[^\s'])+/g) ?? []
  return [...words.map((word) => word.replaceAll("'", '')), ...(wanted ? ['-f', 'json'] : [])]
}

function complaint({ refused, says }: Line, { code, stdout, stderr }: Said): string | undefined {
  const said = `${stdout}\n${stderr}`.trim().slice(-2000)
  if (refused) return code !== 0 && refused.test(said) ? undefined : `not refused as ${refused}: ${code} ${said}`
  if (code !== 0) return said
  return says === undefined || says.test(said) ? undefined : `says no ${says}: ${said}`
}

function keep({ keep: wanted }: Line, { stdout }: Said, kept: Map<string, string>): void {
  if (!wanted) return
  const found = JSON.parse(stdout) as Record<string, unknown> | Array<Record<string, unknown>>
  const fields = Array.isArray(found) ? (found[0] ?? {}) : found
  for (const [name, field] of Object.entries(wanted)) kept.set(name, String(fields[field]))
}

/** The command of a line: the longest of the client's that it begins with. */
export function commandOf({ text }: Line, commands: readonly string[]): string | undefined {
  const own = text.replace(/^(--\S+ \S+ )*/, '')
  const begun = commands.filter((command) => `${own} `.startsWith(`${command} `))
  return begun.toSorted((a, b) => b.length - a.length)[0]
}
