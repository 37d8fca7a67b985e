import { z } from 'zod'
import { interfaceKinds, type InterfaceField } from '../../contract/hardware.ts'
import { jsonObject, uuid } from '../../contract/resources.ts'
import { boolean } from '../../contract/stored.ts'

/** What people may write of a node: at creation, and by patches. */

const text = (most: number) => z.string().max(most).nullable()
/** RFC 3986 unreserved characters; not like a uuid, or the two couldn't be told apart in a path; not a path of ours. */
const reserved = ['maintenance', 'management', 'states', 'vendor_passthru', 'detail', 'validate']
const name = z
  .string()
  .min(1)
  .max(255)
  .regex(/^[A-Za-z0-9\-._~]+$/, "a node's name has letters, digits and - . _ ~")
  .refine((value) => !uuid.safeParse(value).success, "a node's name must not look like a uuid")
  .refine((value) => !reserved.includes(value), 'this name is reserved')
  .nullable()

const interfaces = Object.fromEntries(
  interfaceKinds.map((kind) => [`${kind}_interface`, text(255).optional()]),
) as Record<InterfaceField, z.ZodOptional<z.ZodNullable<z.ZodString>>>

const common = {
  name: name.optional(),
  driver: z.string().min(1).max(255),
  driver_info: jsonObject.optional(),
  properties: jsonObject.optional(),
  instance_info: jsonObject.optional(),
  instance_name: z.string().min(1).max(255).nullable().optional(),
  extra: jsonObject.optional(),
  chassis_uuid: uuid.nullable().optional(),
  resource_class: text(80).optional(),
  owner: text(255).optional(),
  lessee: text(255).optional(),
  description: text(4096).optional(),
  conductor_group: z
    .string()
    .max(255)
    .regex(/^[A-Za-z0-9_.-]*$/, 'letters, digits, and - _ . only')
    .toLowerCase()
    .optional(),
  shard: text(255).optional(),
  parent_node: uuid.nullable().optional(),
  network_data: jsonObject.optional(),
  automated_clean: boolean.nullable().optional(),
  maintenance: boolean.optional(),
  disable_power_off: boolean.optional(),
  retired: boolean.optional(),
  retired_reason: z.string().max(4096).nullable().optional(),
  ...interfaces,
}

export const nodeCreation = z.strictObject({ ...common, uuid: uuid.optional() })
export type NodeCreation = z.infer<typeof nodeCreation>

export const nodeUpdate = z.strictObject({
  ...common,
  instance_uuid: uuid.nullable().optional(),
  protected: boolean.optional(),
  protected_reason: z.string().max(4096).nullable().optional(),
})
export type NodeUpdate = z.infer<typeof nodeUpdate>

const objects = ['driver_info', 'properties', 'instance_info', 'extra', 'network_data']
const flags = ['maintenance', 'disable_power_off', 'retired', 'protected']

/** By attribute that may be patched: what it is after its removal. */
export const updateDefaults: Readonly<Record<string, unknown>> = Object.fromEntries(
  Object.keys(nodeUpdate.shape).map((field) => [field, defaultOf(field)]),
)

function defaultOf(field: string): unknown {
  if (field === 'driver') return undefined
  if (field === 'conductor_group') return ''
  if (objects.includes(field)) return {}
  return flags.includes(field) ? false : null
}
