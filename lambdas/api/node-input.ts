import { z } from 'zod'
import { interfaceKinds, type InterfaceField } from '../../contract/hardware.ts'
import { jsonObject, uuid } from '../../contract/resources.ts'
import { boolean, logicalName } from '../../contract/stored.ts'

/** What people may write of a node: at creation, and by patches. */

const text = (most: number) => z.string().max(most).nullable()
/** Words of our paths are no names. */
const reserved = ['maintenance', 'management', 'states', 'vendor_passthru', 'detail', 'validate']
const name = logicalName
  .refine((value) => !reserved.includes(value), {
    error: ({ input }) =>
      `The word "${String(input)}" is reserved and can not be used as a node name. Reserved words are: ${reserved.join(', ')}.`,
  })
  .nullable()
/** Null empties it. */
const object = jsonObject.nullable().transform((value) => value ?? {})
/** Nova's network_data.json, of which these are the parts; or nothing. */
const networkData = z
  .union([
    z.strictObject({}),
    z.looseObject({ links: z.array(jsonObject), networks: z.array(jsonObject), services: z.array(jsonObject) }),
  ])
  .nullable()
  .transform((value): Record<string, unknown> => value ?? {})

const interfaces = Object.fromEntries(
  interfaceKinds.map((kind) => [`${kind}_interface`, text(255).optional()]),
) as Record<InterfaceField, z.ZodOptional<z.ZodNullable<z.ZodString>>>

const common = {
  name: name.optional(),
  driver: z.string().min(1).max(255),
  driver_info: object.optional(),
  properties: object.optional(),
  instance_info: object.optional(),
  instance_name: z.string().min(1).max(255).nullable().optional(),
  extra: object.optional(),
  chassis_uuid: uuid.nullable().optional(),
  resource_class: text(80).optional(),
  owner: text(255).optional(),
  lessee: text(255).optional(),
  description: text(4096).optional(),
  conductor_group: z.string().max(255).toLowerCase().optional(),
  shard: text(255).optional(),
  parent_node: uuid.nullable().optional(),
  network_data: networkData.optional(),
  automated_clean: boolean.nullable().optional(),
  maintenance: boolean.optional(),
  disable_power_off: boolean.optional(),
  retired: boolean.optional(),
  retired_reason: z.string().max(4096).nullable().optional(),
  ...interfaces,
}

export const nodeCreation = z.strictObject({
  ...common,
  uuid: uuid.nullish(),
  instance_uuid: uuid.nullish(),
})
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
