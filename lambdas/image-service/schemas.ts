import { z } from 'zod'
import { memberStatuses } from '../../contract/image-record.ts'
import type { Service } from '../openstack/context.ts'
import { named } from './input.ts'
import { PATH } from './path.ts'

/** JSON schemas of what is shown: Glance's own client makes its models of them. */

const text = z.string().nullable()
const whole = z.int().nullable()
const image = z
  .object({
    id: z.string(),
    status: z.enum(['queued', 'saving', 'uploading', 'importing', 'active', 'deactivated']),
    size: whole,
    virtual_size: whole,
    checksum: text,
    os_hash_algo: text,
    os_hash_value: text,
    created_at: z.string(),
    updated_at: z.string(),
    file: z.string(),
    self: z.string(),
    schema: z.string(),
    ...named,
  })
  .partial()
  .catchall(z.string())
const member = z.object({
  member_id: z.string(),
  image_id: z.string(),
  status: z.enum(memberStatuses),
  created_at: z.string(),
  updated_at: z.string(),
  schema: z.string(),
})

function schemaOf(name: string, type: z.ZodType): object {
  return { name, ...z.toJSONSchema(type, { io: 'input', target: 'draft-4' }) }
}

function listOf(name: string, items: object): object {
  const link = { type: 'string' }
  return { name, properties: { [name]: { type: 'array', items }, first: link, next: link, schema: link } }
}

export function schemaRoutes(app: Service): void {
  const one = { image: schemaOf('image', image), member: schemaOf('member', member) }
  const all = { ...one, images: listOf('images', one.image), members: listOf('members', one.member) }
  for (const [name, schema] of Object.entries(all)) app.get(`${PATH}/schemas/${name}`, (call) => call.json(schema))
}
