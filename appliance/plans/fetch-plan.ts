import { createHash } from 'node:crypto'
import type { Command } from '../../contract/messages.ts'
import { plan as planSchema, type Plan } from '../../contract/plan.ts'
import { HardwareError } from '../hardware-error.ts'
import type { Urls } from '../ledger/urls.ts'

const PLAN_MS = 60_000

interface Needs {
  urls: Pick<Urls, 'urlOf'>
  get: typeof fetch
  /** Ask for a fresh URL of this blob. */
  refresh(blob: string): void
}

/** A plan that was too large for its command. Rejects while it can't be had. */
export async function fetchPlan(
  { urls, get, refresh }: Needs,
  { plan }: Extract<Command, { kind: 'run' }>,
  signal: AbortSignal,
): Promise<Plan> {
  if ('steps' in plan) return plan
  const url = urls.urlOf(plan.source)
  const waits = AbortSignal.any([signal, AbortSignal.timeout(PLAN_MS)])
  const reply = url === undefined ? undefined : await get(url, { signal: waits })
  if (!reply?.ok && plan.source.kind === 'blob') refresh(plan.source.key)
  if (!reply?.ok) throw new HardwareError(`the plan can't be fetched: ${reply ? `HTTP ${reply.status}` : 'no URL yet'}`)
  const bytes = await readBody(reply, plan.size)
  const digest = createHash('sha256').update(bytes).digest('hex')
  if (digest !== plan.sha256) throw new HardwareError('the plan fetched is not the one that was meant')
  return planSchema.parse(JSON.parse(bytes.toString('utf8')))
}

/** No more than was announced: the answer is a stranger's until its digest is right. */
async function readBody(reply: Response, size: number): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  let have = 0
  for await (const chunk of (reply.body ?? []) as unknown as AsyncIterable<Uint8Array>) {
    have += chunk.length
    if (have > size) throw new HardwareError(`the plan fetched is larger than the ${size} bytes that were meant`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}
