import { z } from 'zod'
import { UserError } from '../../contract/api/faults.ts'
import { traitName } from '../../contract/stored.ts'
import type { Platform } from '../platform.ts'
import { readJson } from './body.ts'
import type { Api, Call } from './context.ts'
import { changed, found } from './resource.ts'
import { runbooks } from './runbooks.ts'

const request = z.strictObject({ traits: z.array(traitName) })
const MOST = 50

/** The traits of nodes that a runbook may be used on. */
export function runbookTraitRoutes(app: Api, platform: Platform): void {
  const path = '/v1/runbooks/:runbook/traits'
  const change = async (call: Call, next: (traits: string[]) => string[]): Promise<Response> => {
    const runbook = await found(call, platform.table, runbooks, call.req.param('runbook') ?? '')
    await changed(platform, runbooks, runbook, (before) => {
      const traits = [...new Set(next(before.traits))].sort()
      if (traits.length > MOST) throw new UserError(400, `A runbook may have ${MOST} traits, not ${traits.length}.`)
      return { ...before, traits }
    })
    return call.body(null, 204)
  }
  app.get(path, async (call) => {
    const { traits } = await found(call, platform.table, runbooks, call.req.param('runbook'))
    return call.json({ traits })
  })
  app.put(path, async (call) => {
    const { traits } = request.parse(await readJson(call))
    return change(call, () => traits)
  })
  app.delete(path, (call) => change(call, () => []))
  app.put(`${path}/:trait`, async (call) => {
    const added = traitName.parse(call.req.param('trait'))
    if ((await readJson(call)) !== undefined) throw new UserError(400, 'No body should be provided when adding a trait')
    const { base } = call.var.showing
    call.header('location', `${base}/v1/runbooks/${encodeURIComponent(call.req.param('runbook'))}/traits/${added}`)
    return change(call, (traits) => [...traits, added])
  })
  app.delete(`${path}/:trait`, (call) =>
    change(call, (traits) => traits.filter((each) => each !== call.req.param('trait'))),
  )
}
