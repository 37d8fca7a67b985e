import { z } from 'zod'
import type { OpenStack } from './openstack.ts'
import { printable, record, tabular } from './output.ts'
import { addressesOf, SERVERS, showServer } from './server-state.ts'
import { UsageError } from './usage.ts'

const log = z.object({ instanceActions: z.array(z.looseObject({ request_id: z.string(), action: z.string() })) })
const steps = z.object({
  instanceAction: z.looseObject({
    events: z.array(
      z.looseObject({
        event: z.string(),
        start_time: z.string(),
        finish_time: z.string().nullable(),
        result: z.string().nullable(),
      }),
    ),
  }),
})

/** Why a server is where it is: its fault, and how far the last thing that was asked of it got. Undefined: there is no such server. */
export async function whyServer(
  openstack: OpenStack,
  ident: string,
): Promise<{ told: unknown; text: string } | undefined> {
  const server = await showServer(openstack, ident).catch((error: unknown) => {
    if (error instanceof UsageError) return undefined
    throw error
  })
  if (!server) return undefined
  const path = `${SERVERS}/${server.id}/os-instance-actions`
  const [last] = log.parse(await openstack.ask('GET', path)).instanceActions
  const events = last ? steps.parse(await openstack.ask('GET', `${path}/${last.request_id}`)).instanceAction.events : []
  const facts = {
    server: server.name,
    status: server.status,
    doing: server['OS-EXT-STS:task_state'],
    node: server.hostId,
    addresses: addressesOf(server),
    asked: last?.action,
  }
  const rows = events.map((each) => [each.start_time, each.event, each.result ?? 'under way', each.finish_time ?? ''])
  const reason = server.fault?.message ?? `Server ${server.name} is ${server.status}.`
  return {
    told: { server, events },
    text: `${printable(reason)}\n\n${record(facts)}\n\n${tabular(['AT', 'STEP', 'RESULT', 'UNTIL'], rows)}`,
  }
}
