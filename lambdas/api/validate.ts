import { UserError } from '../../contract/api/faults.ts'
import type { Platform } from '../platform.ts'
import type { Api, Call } from './context.ts'
import { nodeOf } from './find.ts'
import { validateNode } from './validation.ts'

export function validateRoutes(app: Api, platform: Platform): void {
  const answer = async (call: Call, ident: string): Promise<Response> =>
    call.json(await validateNode(platform, await nodeOf(platform, ident, call.var.minor)))
  app.get('/v1/nodes/validate', (call) => {
    const ident = call.req.query('node')
    if (!ident) throw new UserError(400, 'Expected a logical name or UUID but received None.')
    return answer(call, ident)
  })
  app.get('/v1/nodes/:ident/validate', (call) => answer(call, call.req.param('ident')))
}
