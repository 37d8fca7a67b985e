import { z } from 'zod'
import { instant, siteName, uuid } from '../resources.ts'

/** Fetching an image to a site before any deploy wants it: of the moment, so that what an appliance forgets when it is restarted is just asked for
 * again. Each appliance of the site has a cache of its own. */

export const prefetchRequest = z.strictObject({ site: siteName })
export type PrefetchRequest = z.infer<typeof prefetchRequest>

const prefetchPhase = z.enum(['asked', 'running', 'done', 'failed', 'cancelled'])
export type PrefetchPhase = z.infer<typeof prefetchPhase>

export const prefetchProgress = z.object({
  image: uuid,
  phase: prefetchPhase.exclude(['asked']),
  percent: z.number().min(0).max(100),
  /** failed: why; else what holds it up. */
  note: z.string().max(1024).nullable(),
})
export type PrefetchProgress = z.infer<typeof prefetchProgress>

const prefetch = z.object({
  image_uuid: uuid,
  site: siteName,
  appliance: z.string(),
  phase: prefetchPhase,
  percent: prefetchProgress.shape.percent,
  note: prefetchProgress.shape.note,
  asked_at: instant,
  updated_at: instant,
})
export type Prefetch = z.infer<typeof prefetch>
export interface Prefetches {
  prefetches: Prefetch[]
}

export const isOver = (phase: PrefetchPhase): boolean => phase !== 'asked' && phase !== 'running'

/** A site says at least so often that it is at it. */
export const TELL_SECONDS = 20
