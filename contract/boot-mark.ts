import { z } from 'zod'
import { instant } from './resources.ts'

/** One thing that a site saw of a machine on its way through a boot; of what repeats, the last time. */
export const bootMark = z.object({
  at: instant,
  /** As a sentence goes on: `kernel fetched over HTTP`. */
  seen: z.string().max(200),
  times: z.int().positive(),
})
export type BootMark = z.infer<typeof bootMark>
export const BOOT_MARKS = 24
