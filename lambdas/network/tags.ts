import { z } from 'zod'
import { UserError } from '../../contract/api/faults.ts'
import { readJson } from '../api/body.ts'
import type { Call, Ground, Service } from '../openstack/context.ts'
import { isTheirs, mayChange, seesAll } from '../openstack/rights.ts'
import type { Entity, Store } from '../store/entity.ts'
import { changed, PATH } from './networks.ts'
import { networkStore, portStore, securityGroupStore, subnetStore, trunkStore } from './store.ts'

/** Words by which people sort what they have, as Neutron has them on each of its resources. */

interface Tagged extends Entity {
  project_id: string
  tags: string[]
}
const tag = z.string().min(1).max(255)
const tags = z.array(tag).max(50)
const body = z.object({ tags })

const kinds = { networks: networkStore, subnets: subnetStore, ports: portStore, trunks: trunkStore }

export function tagRoutes(app: Service, ground: Ground): void {
  for (const [name, store] of Object.entries({ ...kinds, 'security-groups': securityGroupStore }))
    routesOf(app, ground, name, store as unknown as Store<Tagged>)
}

function routesOf(app: Service, { table, clock }: Ground, name: string, store: Store<Tagged>): void {
  const path = `${PATH}/${name}/:id/tags`
  const read = async (call: Call): Promise<Tagged> => {
    const id = call.req.param('id') ?? ''
    const value = await store.get(table, id)
    if (value && (isTheirs(call, value) || seesAll(call))) return value
    throw new UserError(404, `${name}: ${id} could not be found.`)
  }
  const write = async (call: Call, decide: (own: readonly string[]) => string[]): Promise<string[]> => {
    const before = await read(call)
    if (!mayChange(call, before)) throw new UserError(403, "Policy doesn't allow update_tags to be performed.")
    const own = tags.parse([...new Set(decide(before.tags))].sort())
    const stamp = { updated_at: clock.now().toISOString(), version: before.version + 1 }
    if (!(await store.save(table, before, { ...before, tags: own, ...stamp }))) throw changed(name, before.uuid)
    return own
  }
  app.get(path, async (call) => call.json({ tags: (await read(call)).tags }))
  app.put(path, async (call) => {
    const given = body.parse(await readJson(call))
    return call.json({ tags: await write(call, () => given.tags) })
  })
  app.delete(path, async (call) => {
    await write(call, () => [])
    return call.body(null, 204)
  })
  app.put(`${path}/:tag`, async (call) => {
    const added = tag.parse(call.req.param('tag'))
    await write(call, (own) => [...own, added])
    return call.body(null, 201)
  })
  app.delete(`${path}/:tag`, async (call) => {
    const gone = call.req.param('tag')
    await write(call, (own) => own.filter((each) => each !== gone))
    return call.body(null, 204)
  })
}
