import { z } from 'zod'
import { UserError } from '../../contract/api/faults.ts'
import { jsonObject, port as portSchema, uuid } from '../../contract/resources.ts'
import { boolean, logicalName } from '../../contract/stored.ts'

/** What people may write of a port. */

export const address = z.string().toLowerCase().pipe(portSchema.shape.address)
const writable = {
  address,
  portgroup_uuid: uuid.nullable().optional(),
  name: logicalName.nullable().optional(),
  description: z.string().max(255).nullable().optional(),
  extra: jsonObject.optional(),
  local_link_connection: jsonObject.optional(),
  pxe_enabled: boolean.optional(),
  physical_network: z
    .string()
    .min(1, 'A non-empty value is required when setting physical_network')
    .max(64)
    .nullable()
    .optional(),
  is_smartnic: boolean.optional(),
  vendor: z.string().max(32).nullable().optional(),
  category: z.string().max(80).nullable().optional(),
  available_for_dynamic_portgroup: boolean.optional(),
}
export const portCreation = z.strictObject({
  ...writable,
  uuid: uuid.optional(),
  node_uuid: uuid.optional(),
  node_ident: z.string().max(255).optional(),
})
export const portUpdate = z.strictObject({ ...writable, node_uuid: uuid })
export const blankPort = {
  portgroup_uuid: null,
  name: null,
  description: null,
  extra: {},
  local_link_connection: {},
  pxe_enabled: true,
  physical_network: null,
  is_smartnic: false,
  vendor: null,
  category: null,
  available_for_dynamic_portgroup: true,
}
export const portDefaults = { address: undefined, node_uuid: undefined, ...blankPort }

/** A switch knows itself by its MAC address or its OpenFlow datapath id. */
const switchId = z
  .string()
  .regex(
    /^([0-9a-fA-F]{2}([:-][0-9a-fA-F]{2}){5}|[0-9a-fA-F]{16}|0x[0-9a-fA-F]{16})$/,
    'a switch_id is a MAC address or a datapath id',
  )
const text = z.string().max(255)
const common = { network_type: z.enum(['managed', 'unmanaged']).optional(), switch_info: text.optional() }
const wired = z.strictObject({ switch_id: switchId, port_id: text, hostname: text.optional(), ...common })
const smart = z.strictObject({ hostname: text, port_id: text, ...common })
const unmanaged = z.strictObject({ network_type: z.literal('unmanaged') })
/** OVN's tunnels: keys that came with 1.90 and went with 1.105. */
const ovn = z.strictObject({ 'vtep-physical-switch': text, 'vtep-logical-switch': text, port_id: text, ...common })

export function checkConnection(connection: Record<string, unknown>, minor: number): void {
  if (Object.keys(connection).length === 0) return
  if (connection['network_type'] !== undefined && minor < 64)
    throw new UserError(406, "Request not acceptable: 'network_type' needs API version 1.64 or newer.")
  const forms = minor >= 90 && minor < 105 ? [wired, smart, unmanaged, ovn] : [wired, smart, unmanaged]
  const tried = forms.map((form) => form.safeParse(connection))
  if (tried.some(({ success }) => success)) return
  const [issue] = tried[0]?.error?.issues ?? []
  throw new UserError(
    400,
    `Invalid local_link_connection: ${issue?.path.join('/') ?? ''} ${issue?.message ?? ''}; needed are switch_id and port_id, or hostname and port_id, or network_type unmanaged alone.`,
  )
}
