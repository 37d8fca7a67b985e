import { z } from 'zod'
import type { Node } from '../../contract/resources.ts'
import type { Platform } from '../platform.ts'
import { argumentsOf } from './arguments.ts'
import { changeAsked } from './change.ts'
import type { Api, Call } from './context.ts'
import { nodeOf } from './find.ts'

const request = z.strictObject({ reason: z.string().max(4096).nullish() })

export function maintenanceRoutes(app: Api, platform: Platform): void {
  const path = '/v1/nodes/:ident/maintenance'
  app.put(path, async (call) => {
    const { reason = null } = await argumentsOf(call, request)
    return set(call, platform, call.req.param('ident'), { maintenance: true, maintenance_reason: reason })
  })
  app.delete(path, (call) =>
    set(call, platform, call.req.param('ident'), { maintenance: false, maintenance_reason: null, fault: null }),
  )
}

async function set(call: Call, platform: Platform, ident: string, changes: Partial<Node>): Promise<Response> {
  const { uuid } = await nodeOf(platform, ident, call.var.minor)
  await changeAsked(call, platform, uuid, (node) => ({ node: { ...node, ...changes } }))
  return call.body(null, 202)
}
