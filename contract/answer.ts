import { z } from 'zod'
import { jsonObject } from './resources.ts'

/** JSON of an answer, so that its report is a message yet. */
export const MOST_ANSWER = 32 * 1024

/** What a site says to who waits for it: what the API replies, or with which status it refuses. */
export const answer = z.union([
  z.object({ body: jsonObject.nullable() }),
  z.object({ fault: z.string().min(1).max(4096), status: z.literal([400, 404, 500]) }),
])
export type Answer = z.infer<typeof answer>
