import { z } from 'zod'
import { command, downlink, type Downlink } from '../../contract/messages.ts'
import { uuid } from '../../contract/resources.ts'

/** A command that is none to this software, such as one of a newer cloud, as far as it can be read. */
export interface Unread {
  seq: number
  /** Whom it is about; undefined: it doesn't say. */
  about: { node: string; generation: number; kind: string } | undefined
  /** What is wrong with it. */
  why: string
}

export interface Read {
  message: Downlink
  unread: Unread[]
}

const numbered = z.looseObject({ seq: z.int().positive() })
const envelope = z.object({
  v: z.literal(1),
  kind: z.literal('commands'),
  commands: z.array(numbered).min(1).max(100),
  urls: z.record(z.string(), z.url()),
  stored_from: z.int().positive(),
})
const subject = z.object({ node: uuid, generation: z.int().positive(), kind: z.string().min(1).max(64) })
const kinds: ReadonlySet<string> = new Set(command.options.flatMap(({ shape }) => [...shape.kind.values]))

/** What the cloud said. One command that can't be read does not hold up the others of its message. A text instead: it is no message, and
 * why. */
export function readDownlink(payload: string): Read | string {
  let json: unknown
  try {
    json = JSON.parse(payload)
  } catch {
    return 'it is not JSON'
  }
  const whole = downlink.safeParse(json)
  if (whole.success) return { message: whole.data, unread: [] }
  const parts = envelope.safeParse(json)
  if (!parts.success) return whole.error.message.slice(0, 500)
  const read = parts.data.commands.map((each) => ({ each, parsed: command.safeParse(each) }))
  const unread = read.flatMap(({ each, parsed }) => (parsed.success ? [] : [unreadOf(each, parsed.error)]))
  return { message: { ...parts.data, commands: read.flatMap(({ parsed }) => parsed.data ?? []) }, unread }
}

function unreadOf(given: z.infer<typeof numbered>, error: z.ZodError): Unread {
  const about = subject.safeParse(given).data
  if (about && !kinds.has(about.kind))
    return { seq: given.seq, about, why: `does not know the command ${JSON.stringify(about.kind)}` }
  const { path = [], message = '' } = error.issues[0] ?? {}
  const what = about ? `the command ${JSON.stringify(about.kind)}` : 'a command'
  return { seq: given.seq, about, why: `can't read ${what}: ${path.join('/')}: ${message}`.slice(0, 800) }
}
