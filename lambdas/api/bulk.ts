import { z } from 'zod'
import { UserError } from '../../contract/api/faults.ts'
import { provisionState, siteName } from '../../contract/resources.ts'
import type { Platform } from '../platform.ts'
import { listNodes } from '../store/nodes.ts'
import { isVisible, requireAllowed } from './authorization.ts'
import { readJson } from './body.ts'
import type { Api, Call } from './context.ts'
import { nodeOf } from './find.ts'
import { perform, rehearsal } from './provision.ts'
import { request } from './provision-request.ts'
import { flag } from './query.ts'

/** POST /v1/bulk/provision: one verb for the nodes that a filter finds, as if each had been asked for alone. Ours. */

const CAP = 200
const AT_ONCE = 8

const text = z.string().min(1).max(255)
export const bulk = request.extend({
  filter: z
    .strictObject({
      conductor_group: siteName.optional(),
      provision_state: provisionState.optional(),
      driver: text.optional(),
      owner: text.optional(),
      resource_class: text.optional(),
      associated: z.boolean().optional(),
      maintenance: z.boolean().optional(),
    })
    .refine((filter) => Object.keys(filter).length > 0, 'name at least one field: a verb for every node is no wish'),
  /** More than these are left alone; the reply says whether there are more. */
  limit: z.int().min(1).max(CAP),
})

interface Outcome {
  node: string
  name: string | null
  status: number
  error?: string
  plan?: unknown
}

export function bulkRoutes(app: Api, platform: Platform): void {
  app.post('/v1/bulk/provision', async (call) => {
    const { filter, limit, ...asked } = bulk.parse(await readJson(call))
    const isDry = flag('dry_run', call.req.query('dry_run')) ?? false
    const keep = (node: Parameters<typeof isVisible>[1]): boolean => isVisible(call, node)
    const { values, marker } = await listNodes(platform.table, filter, { limit, keep })
    const outcomes = await eachOf(values, async (node): Promise<Outcome> => {
      const { uuid, name } = node
      return outcomeOf({ node: uuid, name }, async () => {
        requireAllowed(call, 'baremetal:node:set_provision_state', node)
        if (isDry) return { status: 200, plan: await rehearsal(call, platform, uuid, asked) }
        await perform(call, platform, await nodeOf(platform, uuid, call.var.minor), asked)
        return { status: 202 }
      })
    })
    return call.json({
      results: outcomes,
      more: marker !== undefined && (await hasMore(call, platform, filter, marker)),
    })
  })
}

/** What one is refused with is no reason to stop before the others. */
async function outcomeOf(
  node: Pick<Outcome, 'node' | 'name'>,
  act: () => Promise<Omit<Outcome, 'node' | 'name'>>,
): Promise<Outcome> {
  try {
    return { ...node, ...(await act()) }
  } catch (error) {
    if (!(error instanceof UserError)) throw error
    return { ...node, status: error.status, error: error.message }
  }
}

async function hasMore(
  call: Call,
  { table }: Platform,
  filter: z.infer<typeof bulk>['filter'],
  after: Parameters<typeof listNodes>[2]['after'],
): Promise<boolean> {
  const { values } = await listNodes(table, filter, { limit: 1, after, keep: (node) => isVisible(call, node) })
  return values.length > 0
}

async function eachOf<T, R>(values: T[], act: (value: T) => Promise<R>): Promise<R[]> {
  const results: R[] = []
  let next = 0
  const work = async (): Promise<void> => {
    for (let at = next++; at < values.length; at = next++) results[at] = await act(values[at] as T)
  }
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, values.length) }, work))
  return results
}
