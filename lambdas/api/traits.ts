import { z } from 'zod'
import { UserError } from '../../contract/api/faults.ts'
import type { Platform } from '../platform.ts'
import { changeNode } from '../store/change-node.ts'
import { readJson } from './body.ts'
import type { Api, Call } from './context.ts'
import { noNode, nodeOf } from './find.ts'

const SINCE = 37
const MOST = 50
/** Custom ones, and the form that those of the standard catalogue have. */
const trait = z
  .string()
  .max(255)
  .regex(/^[A-Z][A-Z0-9_]*$/, 'a trait is CUSTOM_… or a standard one: A-Z, 0-9 and _')
const request = z.strictObject({ traits: z.array(trait) })

export function traitRoutes(app: Api, platform: Platform): void {
  const path = '/v1/nodes/:ident/traits'
  app.get(path, async (call) => {
    below(call, 406)
    return call.json({ traits: (await nodeOf(platform, call.req.param('ident'), call.var.minor)).traits })
  })
  app.put(path, async (call) => {
    below(call, 405)
    const { traits } = request.parse(await readJson(call))
    return change(call, platform, call.req.param('ident'), () => traits)
  })
  app.put(`${path}/:trait`, async (call) => {
    below(call, 405)
    const added = trait.parse(call.req.param('trait'))
    const ident = call.req.param('ident')
    call.header('location', `${call.var.showing.base}/v1/nodes/${encodeURIComponent(ident)}/traits/${added}`)
    return change(call, platform, ident, (traits) => [...traits, added])
  })
  app.delete(path, (call) => {
    below(call, 404)
    return change(call, platform, call.req.param('ident'), () => [])
  })
  app.delete(`${path}/:trait`, (call) => {
    below(call, 404)
    const gone = call.req.param('trait')
    return change(call, platform, call.req.param('ident'), (traits) => {
      if (!traits.includes(gone)) throw new UserError(404, `Node has no trait ${gone}.`)
      return traits.filter((each) => each !== gone)
    })
  })
}

/** Ironic answers each method in its own way where the version lacks traits. */
function below(call: Call, status: number): void {
  if (call.var.minor < SINCE) throw new UserError(status, 'Traits need API version 1.37 or newer.')
}

async function change(
  call: Call,
  platform: Platform,
  ident: string,
  next: (traits: string[]) => string[],
): Promise<Response> {
  const { uuid } = await nodeOf(platform, ident, call.var.minor)
  const after = await changeNode(platform, uuid, (node) => {
    const traits = [...new Set(next(node.traits))].sort()
    if (traits.length > MOST) throw new UserError(400, `A node may have ${MOST} traits, not ${traits.length}.`)
    return { node: { ...node, traits } }
  })
  if (!after) throw noNode(ident)
  return call.body(null, 204)
}
