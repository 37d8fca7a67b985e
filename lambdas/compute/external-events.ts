import { z } from 'zod'
import { UserError } from '../../contract/api/faults.ts'
import { readJson } from '../api/body.ts'
import type { Call, Ground, Service } from '../openstack/context.ts'
import { actionOf, withEvent } from './action-log.ts'
import { changeServer } from './change-server.ts'
import { PATH } from './path.ts'
import { serverStore } from './store.ts'

/** What other services tell of servers: Neutron of plugged ports, Cinder of grown volumes, Ironic of power. Nothing here waits for them, for
 * network and volumes are of the same table; they are kept among what was done with the server (`server event list`). */

const names = [
  'network-changed',
  'network-vif-plugged',
  'network-vif-unplugged',
  'network-vif-deleted',
  'volume-extended',
  'volume-reimaged',
  'power-update',
  'accelerator-request-bound',
] as const
const given = z.strictObject({
  events: z
    .array(
      z.strictObject({
        name: z.enum(names, `is none of ${names.join(', ')}`),
        server_uuid: z.uuid(),
        status: z.enum(['completed', 'failed', 'in-progress']).default('completed'),
        tag: z.string().max(255).optional(),
      }),
    )
    .min(1)
    .max(256),
})

export function externalEventRoutes(app: Service, ground: Ground): void {
  const { table, log, clock } = ground
  app.post(`${PATH}/os-server-external-events`, async (call) => {
    requireService(call)
    const { events } = given.parse(await readJson(call))
    const answers = await Promise.all(
      events.map(async (event) => {
        const server = await serverStore.get(table, event.server_uuid)
        if (!server) return { ...event, status: 'failed' as const, code: 404 }
        if (server.node === null) return { ...event, status: 'failed' as const, code: 422 }
        const fault = event.status === 'failed' ? `${event.name} failed` : null
        const done = { ...actionOf(call, event.name, clock.now(), true), fault }
        await changeServer(ground, server.uuid, (now) => ({ actions: withEvent(now, done) }))
        log.info({ server: server.uuid, event: event.name, status: event.status, tag: event.tag }, 'external event')
        return { ...event, code: 200 }
      }),
    )
    if (answers.every(({ code }) => code === 404)) throw new UserError(404, 'No instances found for any event')
    return call.json({ events: answers }, answers.every(({ code }) => code === 200) ? 200 : 207)
  })
}

function requireService(call: Call): void {
  const { roles } = call.var.caller
  if (!roles.has('admin') && !roles.has('service'))
    throw new UserError(403, "Policy doesn't allow os_compute_api:os-server-external-events:create to be performed.")
}
