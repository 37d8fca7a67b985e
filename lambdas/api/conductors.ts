import { hash } from 'node:crypto'
import { UserError } from '../../contract/api/faults.ts'
import { conductorView as viewOf, pick } from '../../contract/api/views.ts'
import { drivers } from '../../contract/hardware.ts'
import type { Appliance } from '../../contract/resources.ts'
import type { Platform } from '../platform.ts'
import { allAppliances, applianceNamed, isAlive } from '../store/appliances.ts'
import type { Api, Call } from './context.ts'
import { tagged } from './etag.ts'
import { collection, fieldsOf, onlyKnown, paging, shape } from './query.ts'

const fields = ['hostname', 'conductor_group', 'alive', 'drivers', 'created_at', 'updated_at', 'links']
/** Ours: shown to who names it, and to nobody who reads what Ironic shows. */
const ours = 'certificate_expires_at'
const known = [...fields, ours]
const short = ['hostname', 'conductor_group', 'alive']

/** Conductors are the sites' appliances. */
export function conductorRoutes(app: Api, platform: Platform): void {
  app.get('/v1/conductors', async (call) => {
    onlyKnown(call, [])
    const { fields: asked } = shape(call, known, short, false)
    const { limit, marker, descending, sort } = paging(call, ['hostname', 'conductor_group', 'updated_at'])
    const all = sorted(await allAppliances(platform.table), sort)
    const ordered = descending ? all.reverse() : all
    const from = marker === undefined ? 0 : ordered.findIndex(({ name }) => name === marker) + 1
    if (from === 0 && marker !== undefined) throw noConductor(marker)
    const page = ordered.slice(from, from + limit)
    const next = page.length === limit ? page.at(-1)?.name : undefined
    const views = page.map((appliance) => pick(conductorView(call, platform, appliance), asked ?? fields))
    return call.json(collection(call, 'conductors', 'conductors', views, next))
  })
  app.get('/v1/conductors/:name', async (call) => {
    const asked = fieldsOf(call, known) ?? fields
    const name = call.req.param('name')
    const appliance = await applianceNamed(platform.table, name)
    if (!appliance) throw noConductor(name)
    return tagged(call, conductorTag(appliance), pick(conductorView(call, platform, appliance), asked))
  })
}

export function conductorView(call: Call, { clock }: Platform, appliance: Appliance) {
  return viewOf(appliance, isAlive(appliance, clock.now()), drivers, call.var.showing)
}

/** Its entity tag counts what people change, its name, and not its signs of life. */
export function conductorTag({ uuid, name }: Appliance): { version: number } {
  return { version: Number.parseInt(hash('sha256', `${uuid} ${name}`).slice(0, 12), 16) }
}

export function noConductor(name: string): UserError {
  return new UserError(404, `Conductor ${name} could not be found.`)
}

const keys: Readonly<Record<string, (appliance: Appliance) => string>> = {
  hostname: ({ name }) => name,
  conductor_group: ({ site }) => site,
  updated_at: ({ last_seen: seen }) => seen ?? '',
}

function sorted(all: Appliance[], by: string | undefined): Appliance[] {
  const key = keys[by ?? '']
  return key ? all.toSorted((a, b) => (key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : 0)) : all
}
