import { z } from 'zod'
import { UserError } from '../../contract/api/faults.ts'
import { links } from '../../contract/api/views.ts'
import { type Chassis, chassis as chassisSchema } from '../../contract/chassis.ts'
import { jsonObject, uuid } from '../../contract/resources.ts'
import type { Platform } from '../platform.ts'
import { chassisStore, isEmpty } from '../store/chassis.ts'
import type { Api } from './context.ts'
import { nodesOfChassis } from './nodes.ts'
import { create, creationOf, found, newborn, replyList, replyOne, type Resource, update } from './resource.ts'

const writable = {
  description: chassisSchema.shape.description.optional(),
  extra: jsonObject.nullish().transform((value) => value ?? {}),
}
const creation = z.strictObject({ ...writable, uuid: uuid.nullish() })

export const chassisResource: Resource<Chassis> = {
  title: 'Chassis',
  ident: { argument: 'chassis_uuid' },
  table: 'chassis',
  path: 'chassis',
  store: chassisStore,
  fields: ['uuid', 'description', 'extra', 'created_at', 'updated_at', 'nodes'],
  short: ['uuid', 'description'],
  unsortable: ['extra', 'nodes'],
  view: ({ version: _version, ...chassis }, call) => ({
    ...chassis,
    nodes: links(call.var.showing, `chassis/${chassis.uuid}/nodes`),
  }),
}

export function chassisRoutes(app: Api, platform: Platform): void {
  app.get('/v1/chassis', (call) => replyList(call, platform, chassisResource))
  app.get('/v1/chassis/detail', (call) => replyList(call, platform, chassisResource, { detailed: true }))
  app.post('/v1/chassis', async (call) => {
    const { uuid: own, description = null, extra } = await creationOf(call, 'chassis', creation)
    return create(call, platform, chassisResource, { ...newborn(platform, own), description, extra })
  })
  app.get('/v1/chassis/:chassis', async (call) =>
    replyOne(call, chassisResource, await found(call, platform.table, chassisResource, call.req.param('chassis'))),
  )
  app.patch('/v1/chassis/:chassis', (call) =>
    update(call, platform, chassisResource, call.req.param('chassis'), {
      schema: z.strictObject(writable),
      defaults: { description: null, extra: {} },
    }),
  )
  app.delete('/v1/chassis/:chassis', async (call) => {
    const chassis = await found(call, platform.table, chassisResource, call.req.param('chassis'))
    if (!(await isEmpty(platform.table, chassis)))
      throw new UserError(400, `Cannot complete the requested action because chassis ${chassis.uuid} contains nodes.`)
    await chassisStore.remove(platform.table, chassis)
    return call.body(null, 204)
  })
  for (const detailed of [false, true])
    app.get(`/v1/chassis/:chassis/nodes${detailed ? '/detail' : ''}`, async (call) => {
      const { uuid: of } = await found(call, platform.table, chassisResource, call.req.param('chassis'))
      return nodesOfChassis(call, platform, of, detailed)
    })
}
