import { z } from 'zod'
import { report, type Uplink, uplink } from '../../contract/messages.ts'

/** What an appliance said. `unread`: the numbers of reports that are none, such as those of a newer site: unless they are counted like the
 * others they are sent for ever, and hold up all that is behind them. */
export interface Read {
  message: Uplink
  unread: number[]
}

const numbered = z.looseObject({ seq: z.int().positive() })
const envelope = z.object({ v: z.literal(1), kind: z.literal('reports'), reports: z.array(numbered).min(1).max(100) })

/** Undefined: it is no message. */
export function readUplink(body: string): Read | undefined {
  let json: unknown
  try {
    json = JSON.parse(body)
  } catch {
    return undefined
  }
  const whole = uplink.safeParse(json)
  if (whole.success) return { message: whole.data, unread: [] }
  const parts = envelope.safeParse(json)
  if (!parts.success) return undefined
  const read = parts.data.reports.map((each) => ({ seq: each.seq, parsed: report.safeParse(each) }))
  return {
    message: { v: 1, kind: 'reports', reports: read.flatMap(({ parsed }) => parsed.data ?? []) },
    unread: read.filter(({ parsed }) => !parsed.success).map(({ seq }) => seq),
  }
}
