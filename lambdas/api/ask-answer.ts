import { setTimeout } from 'node:timers/promises'
import { UserError } from '../../contract/api/faults.ts'
import type { Node } from '../../contract/resources.ts'
import type { ManagementRequest } from '../conductor/management.ts'
import type { Platform } from '../platform.ts'
import { takeAnswer } from '../store/answers.ts'
import { getNode, powerPending } from '../store/nodes.ts'
import { askSite } from './ask-bmc.ts'
import type { Call } from './context.ts'
import { settled } from './settle.ts'
import { applianceNow, named } from './site-now.ts'

/** API Gateway hangs up after 30 s. */
const PATIENCE_MS = 25_000
/** How long an answer may be behind the end of its plan. */
const BEHIND_MS = 3_000
const LOOK_MS = 100

/** Has the site ask the node's BMC something, and waits for what it says: where Ironic's methods are synchronous, and nothing of the node would
 * show the answer (docs/decisions/0021). */
export async function answerOf(
  platform: Platform,
  call: Call,
  { uuid }: Node,
  request: ManagementRequest,
  check: (node: Node) => void,
): Promise<unknown> {
  const before = await getNode(platform.table, uuid)
  if (before) await settled(platform, before)
  const node = await askSite(platform, call, uuid, request, check, async (now) => {
    await applianceNow(platform, now, 'An answer')
    // What went wrong before is none of the question's.
    return { last_error: now.last_error }
  })
  const answer = await awaited(platform, node)
  if ('fault' in answer) throw new UserError(answer.status, answer.fault)
  return answer.body
}

async function awaited({ table }: Platform, node: Node) {
  const { uuid, generation } = node
  const until = Date.now() + PATIENCE_MS
  let ended: number | undefined
  for (;;) {
    const now = await getNode(table, uuid)
    const isOver = !now || now.generation !== generation || !powerPending(now)
    const answer = isOver ? await takeAnswer(table, uuid, generation) : undefined
    if (answer) return answer
    if (isOver) ended ??= Date.now()
    if (ended !== undefined && Date.now() - ended > BEHIND_MS)
      throw new UserError(500, now?.last_error ?? `Node ${named(node)}: the site ended the question without an answer.`)
    if (Date.now() > until)
      throw new UserError(
        503,
        `Node ${named(node)}: its site has not answered within ${PATIENCE_MS / 1000} s, and may do so yet. See what has become of it before you ask again.`,
      )
    await setTimeout(LOOK_MS)
  }
}
