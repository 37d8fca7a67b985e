import { UserError } from '../../contract/api/faults.ts'
import type { Belonging } from '../../contract/policy.ts'
import type { Platform, Table } from '../platform.ts'
import { allocationStore } from '../store/allocations.ts'
import { getNode } from '../store/nodes.ts'
import { portgroupStore } from '../store/portgroups.ts'
import { portStore } from '../store/ports.ts'
import { runbookStore } from '../store/runbooks.ts'
import { connectorStore, targetStore } from '../store/volumes.ts'
import { webhookStore } from '../store/webhooks.ts'
import type { Call } from './context.ts'
import { noNode, nodeOf } from './find.ts'

/** What a path is about, and what to answer to those who may not see it: that there is none. */
export interface Subject {
  of: Belonging
  missing: UserError
}

interface Kind {
  prefix: string
  title: string
  belonging: (table: Table, ident: string, call: Call) => Promise<Belonging | undefined>
}
const ofNode =
  (find: (table: Table, ident: string) => Promise<{ node_uuid: string } | undefined>): Kind['belonging'] =>
  async (table, ident) => {
    const found = await find(table, ident)
    return found && getNode(table, found.node_uuid)
  }

const kinds: readonly Kind[] = [
  { prefix: '/v1/ports/:ident', title: 'Port', belonging: ofNode(portStore.find) },
  { prefix: '/v1/portgroups/:portgroup', title: 'Portgroup', belonging: ofNode(portgroupStore.find) },
  { prefix: '/v1/volume/connectors/:volume', title: 'Volume connector', belonging: ofNode(connectorStore.find) },
  { prefix: '/v1/volume/targets/:volume', title: 'Volume target', belonging: ofNode(targetStore.find) },
  {
    prefix: '/v1/allocations/:allocation',
    title: 'Allocation',
    async belonging(table, ident) {
      const found = await allocationStore.find(table, ident)
      return found && { owner: found.owner, lessee: null }
    },
  },
  {
    prefix: '/v1/webhooks/:webhook',
    title: 'Webhook',
    async belonging(table, ident) {
      const found = await webhookStore.find(table, ident)
      return found && { owner: found.owner, lessee: null }
    },
  },
  {
    prefix: '/v1/runbooks/:runbook',
    title: 'Runbook',
    async belonging(table, ident, call) {
      const found = await runbookStore.find(table, ident)
      const everybodys = found?.public && call.req.method === 'GET'
      return found && { owner: everybodys ? (call.var.caller.project?.id ?? null) : found.owner, lessee: null }
    },
  },
]

/** Undefined: the path is about nothing that belongs to anybody. */
export async function subjectOf(
  call: Call,
  platform: Pick<Platform, 'table'>,
  path: string,
): Promise<Subject | undefined> {
  const kind = kinds.find(({ prefix }) => path === prefix || path.startsWith(`${prefix}/`))
  if (kind) {
    const ident = parameterOf(call, path) ?? ''
    const missing = new UserError(404, `${kind.title} ${ident} could not be found.`)
    const of = await kind.belonging(platform.table, ident, call)
    if (!of) throw missing
    return { of, missing }
  }
  const name = path === '/v1/nodes/validate' ? call.req.query('node') : parameterOf(call, path)
  if (name === undefined || !path.startsWith('/v1/nodes/')) return undefined
  return { of: await nodeOf(platform, name, call.var.minor), missing: noNode(name) }
}

/** The first parameter of a route's path. To hono, parameters are the handler's, and unknown to the middleware before it. */
function parameterOf(call: Call, path: string): string | undefined {
  const at = path.split('/').findIndex((part) => part.startsWith(':'))
  const text = at < 0 ? undefined : call.req.path.split('/')[at]
  try {
    return text && decodeURIComponent(text)
  } catch {
    return text
  }
}
