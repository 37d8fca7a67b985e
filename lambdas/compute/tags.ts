import { z } from 'zod'
import { UserError } from '../../contract/api/faults.ts'
import type { Server } from '../../contract/compute.ts'
import { readJson } from '../api/body.ts'
import type { Call, Ground, Service } from '../openstack/context.ts'
import { changeServer } from './change-server.ts'
import { PATH } from './path.ts'
import { tag, tags } from './server-input.ts'
import { changeable, serverOf } from './servers.ts'

const all = z.object({ tags })

/** Words by which a project sorts its servers (2.26). */
export function tagRoutes(app: Service, ground: Ground): void {
  const path = `${PATH}/servers/:server/tags`
  const read = (call: Call): Promise<Server> => serverOf(call, ground, call.req.param('server') ?? '')
  const write = async (call: Call, decide: (tags: readonly string[]) => string[]): Promise<string[]> => {
    const { uuid } = await changeable(call, ground, call.req.param('server') ?? '', 'server-tags')
    const after = await changeServer(ground, uuid, (server) => ({ tags: tags.parse(decide(server.tags ?? [])) }))
    return after?.tags ?? []
  }
  app.get(path, async (call) => call.json({ tags: (await read(call)).tags ?? [] }))
  app.put(path, async (call) => {
    const given = all.parse(await readJson(call))
    return call.json({ tags: await write(call, () => [...new Set(given.tags)]) })
  })
  app.delete(path, async (call) => {
    await write(call, () => [])
    return call.body(null, 204)
  })
  app.get(`${path}/:tag`, async (call) => {
    const { uuid, tags: own = [] } = await read(call)
    const wanted = call.req.param('tag')
    if (!own.includes(wanted)) throw noTag(uuid, wanted)
    return call.body(null, 204)
  })
  app.put(`${path}/:tag`, async (call) => {
    const added = tag.parse(call.req.param('tag'))
    const { tags: before = [] } = await read(call)
    await write(call, (own) => [...new Set([...own, added])])
    return call.body(null, before.includes(added) ? 204 : 201)
  })
  app.delete(`${path}/:tag`, async (call) => {
    const { uuid } = await read(call)
    const gone = call.req.param('tag')
    await write(call, (own) => {
      if (!own.includes(gone)) throw noTag(uuid, gone)
      return own.filter((each) => each !== gone)
    })
    return call.body(null, 204)
  })
}

const noTag = (server: string, wanted: string): UserError =>
  new UserError(404, `Server ${server} has no tag '${wanted}'`)

/** Filters of the list: `tags` and `not-tags` mean all of those named, their `-any` one of them. */
export function hasTags({ tags: own = [] }: Pick<Server, 'tags'>, filters: Record<string, string[]>): boolean {
  const named = (filter: string): string[] | undefined => filters[filter]?.flatMap((text) => text.split(','))
  const has = (each: string): boolean => own.includes(each)
  return (
    (named('tags')?.every(has) ?? true) &&
    (named('tags-any')?.some(has) ?? true) &&
    !(named('not-tags')?.every(has) ?? false) &&
    !(named('not-tags-any')?.some(has) ?? false)
  )
}
