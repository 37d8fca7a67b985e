import { DOMAIN } from '../../contract/identity.ts'
import { listEndpoints, listServices, REGION } from './catalog.ts'
import type { Call, Identity } from './context.ts'
import { notFound } from './errors.ts'
import { matching } from './query.ts'
import { requireReader } from './rights.ts'
import { collectionView, domainView } from './views.ts'

/** What is the same in every installation: the domain, the region, services and their endpoints. */
export function catalogRoutes(app: Identity): void {
  resource(app, 'services', 'service', (call) =>
    listServices().filter(({ type, name }) => fits(call, 'type', type) && fits(call, 'name', name)),
  )
  resource(app, 'endpoints', 'endpoint', (call) =>
    listEndpoints(call.var.base).filter(
      (each) => fits(call, 'service_id', each.service_id) && fits(call, 'interface', each.interface),
    ),
  )
  resource(app, 'regions', 'region', () => [{ id: REGION, description: '', parent_region_id: null }])
  resource(app, 'domains', 'domain', (call) => matching(call, [domainView(call.var.base)]))
}

function fits(call: Call, filter: string, value: string): boolean {
  return (call.req.query(filter) ?? value) === value
}

function resource<T extends { id: string }>(
  app: Identity,
  plural: string,
  singular: string,
  list: (call: Call) => T[],
): void {
  const path = `/identity/v3/${plural}`
  const linked = (call: Call, each: T) => ({ ...each, links: { self: `${call.var.base}${path}/${each.id}` } })
  app.get(path, (call) => {
    requireReader(call, `identity:list_${plural}`)
    return call.json(
      collectionView(
        call.var.base,
        plural,
        plural,
        list(call).map((each) => linked(call, each)),
      ),
    )
  })
  app.get(`${path}/:id`, (call) => {
    const id = call.req.param('id')
    const own = singular === 'domain' && id === DOMAIN ? call.var.session?.user.id : undefined
    requireReader(call, `identity:get_${singular}`, own)
    const found = list(call).find((each) => each.id === id)
    if (!found) throw notFound(singular, id)
    return call.json({ [singular]: linked(call, found) })
  })
}
