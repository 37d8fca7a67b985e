import { z } from 'zod'
import { jsonObject, macAddress, uuid } from './resources.ts'
import { logicalName, stored } from './stored.ts'

/** Ports of one node that an operating system bonds. */
export const portgroup = z.object({
  ...stored,
  node_uuid: uuid,
  name: logicalName.nullable(),
  address: macAddress.nullable(),
  mode: z.string().min(1).max(255),
  properties: jsonObject,
  standalone_ports_supported: z.boolean(),
  internal_info: jsonObject,
  physical_network: z.string().max(64).nullable(),
  category: z.string().max(80).nullable(),
  dynamic_portgroup: z.boolean(),
})
export type Portgroup = z.infer<typeof portgroup>
