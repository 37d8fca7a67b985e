import { UserError } from '../../contract/api/faults.ts'
import { conductorView } from '../../contract/api/views.ts'
import { drivers } from '../../contract/hardware.ts'
import type { Appliance } from '../../contract/resources.ts'
import type { Platform } from '../platform.ts'
import { allAppliances, applianceNamed, isAlive } from '../store/appliances.ts'
import type { Api, Call } from './context.ts'
import { collection, fieldsOf, onlyKnown, paging, shape } from './query.ts'

const known = ['hostname', 'conductor_group', 'alive', 'drivers', 'created_at', 'updated_at', 'links']
const short = ['hostname', 'conductor_group', 'alive']

/** Conductors are the sites' appliances. */
export function conductorRoutes(app: Api, platform: Platform): void {
  app.get('/v1/conductors', async (call) => {
    onlyKnown(call, [])
    const { cut } = shape(call, known, short, false)
    const { limit, marker, descending } = paging(call)
    const all = await allAppliances(platform.table)
    const ordered = descending ? all.reverse() : all
    const from = marker === undefined ? 0 : ordered.findIndex(({ name }) => name === marker) + 1
    if (from === 0 && marker !== undefined) throw unknown(marker)
    const page = ordered.slice(from, from + limit)
    const next = page.length === limit ? page.at(-1)?.name : undefined
    const views = page.map((appliance) => cut(view(call, platform, appliance)))
    return call.json(collection(call, 'conductors', 'conductors', views, next))
  })
  app.get('/v1/conductors/:name', async (call) => {
    const fields = fieldsOf(call, known)
    const name = call.req.param('name')
    const appliance = await applianceNamed(platform.table, name)
    if (!appliance) throw unknown(name)
    const shown = Object.entries(view(call, platform, appliance))
    return call.json(Object.fromEntries(shown.filter(([key]) => !fields || key === 'links' || fields.includes(key))))
  })
}

function view(call: Call, { clock }: Platform, appliance: Appliance) {
  return conductorView(appliance, isAlive(appliance, clock.now()), drivers, call.var.showing)
}

function unknown(name: string): UserError {
  return new UserError(404, `Conductor ${name} could not be found.`)
}
