import { z } from 'zod'
import { parseAs } from '../../contract/api/schema-fault.ts'
import { macAddress, uuid } from '../../contract/resources.ts'
import type { Platform } from '../platform.ts'
import { readJson } from './body.ts'
import type { Api } from './context.ts'

const text = z.string().max(255)
const event = z.strictObject({
  event: z.enum(['network.bind_port', 'network.unbind_port', 'network.delete_port']),
  port_id: uuid,
  mac_address: z
    .string()
    .toLowerCase()
    .transform((mac) => mac.replaceAll('-', ':'))
    .pipe(macAddress),
  status: text,
  device_id: uuid.optional(),
  'binding:host_id': text.optional(),
  'binding:vnic_type': text.optional(),
})
const request = z.strictObject({ events: z.array(event).min(1).max(1000) })

/** What Neutron tells. It is checked and logged; nothing here depends on it (reference §1.18). */
export function eventRoutes(app: Api, { log }: Platform): void {
  app.post('/v1/events', async (call) => {
    const { events } = parseAs('evts', request, (await readJson(call)) ?? {})
    for (const { event: kind, port_id, mac_address, status } of events)
      log.info({ event: kind, port: port_id, address: mac_address, status }, 'network event')
    return call.body(null, 204)
  })
}
