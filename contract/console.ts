import { z } from 'zod'
import { instant, uuid } from './resources.ts'

/** A machine's serial console, live: between its site and those who watch it. Nothing of it is kept by the cloud for long; the recording
 * is the site's. */

/** How long a site goes on sending once nobody renews. */
export const WATCH_SECONDS = 30
export const MOST_TEXT = 8192
export const MOST_TYPED = 4096
/** Of a screen, as lines of text. */
export const SCREEN = { rows: 25, columns: 80 } as const
/** The parts of a recording on its way up. */
export const LOG_PART = 16 * 1024
export const MOST_LOG_PARTS = 144

export const screen = z.array(z.string().max(SCREEN.columns * 2)).max(SCREEN.rows)

/** `connecting` also while it is tried again; `suspended`: the BMC takes no characters now. */
export const consoleState = z.enum(['connecting', 'active', 'suspended', 'off'])

/** What a site says of a console that somebody watches. `stream` is drawn anew when the site begins to send, `seq` counts from 1 in it. */
export const consoleChunk = z.object({
  stream: uuid,
  seq: z.int().positive(),
  at: instant,
  state: consoleState,
  /** Of `connecting` and `off`: why. */
  note: z.string().max(1024).nullable(),
  /** What the machine printed since the chunk before; null: see `screen`. */
  text: z.string().max(MOST_TEXT).nullable(),
  /** The whole screen as it is now: at the beginning, and where characters were left out because there were too many. */
  screen: screen.nullable(),
})
export type ConsoleChunk = z.infer<typeof consoleChunk>

/** What the cloud asks of a site. */
export const consoleAsk = z.discriminatedUnion('act', [
  /** Send what the console shows for so long; `snapshot`: and the whole screen first. */
  z.object({ act: z.literal('watch'), seconds: z.int().positive().max(300), snapshot: z.boolean() }),
  /** Typed by one watcher, who numbers what he types; after that, a break. */
  z.object({
    act: z.literal('type'),
    from: uuid,
    number: z.int().positive(),
    text: z.string().max(MOST_TYPED),
    line_break: z.boolean(),
  }),
  /** Send the recording, in parts. */
  z.object({ act: z.literal('log'), request: uuid }),
])
export type ConsoleAsk = z.infer<typeof consoleAsk>

export const logPart = z.object({
  request: uuid,
  part: z.int().nonnegative(),
  parts: z.int().min(1).max(MOST_LOG_PARTS),
  text: z.string().max(LOG_PART),
})
export type LogPart = z.infer<typeof logPart>

/** One line of a recording, as JSON: when, `o` (the machine printed) or `m` (what became of the connection), and the text. */
export const recorded = z.tuple([instant, z.enum(['o', 'm']), z.string()])
export type Recorded = z.infer<typeof recorded>

/** What a watcher types, as the API takes it. */
export const typed = z.strictObject({
  from: uuid,
  number: z.int().positive(),
  text: z.string().max(MOST_TYPED).default(''),
  line_break: z.boolean().default(false),
})

/** As the API shows it, page by page. `last`: where to go on. */
export interface ConsolePage {
  chunks: ConsoleChunk[]
  last: string
}

/** The recording that was asked for last; `log`: its lines, once all of it is there. */
export interface ConsoleLogView {
  request: string
  asked_at: string
  log: string | null
}
