import { z } from 'zod'
import { UserError } from '../../contract/api/faults.ts'
import { parseAs } from '../../contract/api/schema-fault.ts'
import { traitName } from '../../contract/stored.ts'
import type { Platform } from '../platform.ts'
import { readJson } from './body.ts'
import { changeAsked } from './change.ts'
import type { Api, Call } from './context.ts'
import { tagged } from './etag.ts'
import { nodeOf } from './find.ts'

const MOST = 50
const request = z.strictObject({ traits: z.array(traitName) })

export function traitRoutes(app: Api, platform: Platform): void {
  const path = '/v1/nodes/:ident/traits'
  app.get(path, async (call) => {
    const node = await nodeOf(platform, call.req.param('ident'), call.var.minor)
    return tagged(call, node, { traits: node.traits })
  })
  app.put(path, async (call) => {
    const { traits } = parseAs('body', request, await readJson(call))
    return change(call, platform, call.req.param('ident'), () => traits)
  })
  app.put(`${path}/:trait`, async (call) => {
    const body = await readJson(call)
    if (body !== undefined) parseAs('body', z.strictObject({}), body)
    const added = parseAs('trait', traitName, call.req.param('trait'))
    const ident = call.req.param('ident')
    call.header('location', `${call.var.showing.base}/v1/nodes/${encodeURIComponent(ident)}/traits/${added}`)
    return change(call, platform, ident, (traits) => [...traits, added])
  })
  app.delete(path, (call) => {
    return change(call, platform, call.req.param('ident'), () => [])
  })
  app.delete(`${path}/:trait`, (call) => {
    const gone = call.req.param('trait')
    const ident = call.req.param('ident')
    return change(call, platform, ident, (traits) => {
      if (!traits.includes(gone)) throw new UserError(404, `Node ${ident} doesn't have a trait '${gone}'`)
      return traits.filter((each) => each !== gone)
    })
  })
}

async function change(
  call: Call,
  platform: Platform,
  ident: string,
  next: (traits: string[]) => string[],
): Promise<Response> {
  const { uuid } = await nodeOf(platform, ident, call.var.minor)
  await changeAsked(call, platform, uuid, (node) => {
    const traits = [...new Set(next(node.traits))].sort()
    if (traits.length > MOST)
      throw new UserError(
        400,
        `Could not modify traits for node ${uuid} as it would exceed the maximum number of traits per node (${traits.length} vs. ${MOST})`,
      )
    return { node: { ...node, traits } }
  })
  return call.body(null, 204)
}
