import { UserError } from '../../contract/api/faults.ts'
import { allowed } from '../../contract/policy.ts'
import type { Verb } from '../../contract/provision.ts'
import type { Node } from '../../contract/resources.ts'
import { inOrder, isFor, notFor } from '../conductor/automated-cleaning.ts'
import type { Platform } from '../platform.ts'
import { runbookStore } from '../store/runbooks.ts'
import type { Call } from './context.ts'
import type { Request } from './provision-request.ts'

/** The request as if the runbook's steps had been written out in it. */
export async function withRunbook(
  call: Call,
  { table }: Pick<Platform, 'table'>,
  node: Node,
  verb: Verb,
  asked: Request,
): Promise<Request> {
  const { runbook: ident } = asked
  if ((verb !== 'clean' && verb !== 'service') || !ident) return asked
  const runbook = await runbookStore.find(table, ident)
  const { caller } = call.var
  const isSeen =
    runbook && (runbook.public || allowed('baremetal:runbook:list_all', caller) || runbook.owner === caller.project?.id)
  if (!isSeen) throw new UserError(404, `Runbook ${ident} could not be found.`)
  if (!isFor(runbook, node)) throw new UserError(400, notFor(runbook, node))
  return {
    ...asked,
    [`${verb}_steps`]: inOrder(runbook),
    disable_ramdisk: asked.disable_ramdisk ?? runbook.disable_ramdisk,
  }
}
