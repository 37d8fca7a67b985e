import { UserError } from '../../contract/api/faults.ts'
import { fieldSince, parameterSince } from '../../contract/api/matrix.ts'
import { exists } from '../../contract/api/versions.ts'
import { links, pick } from '../../contract/api/views.ts'
import { drivers, type HardwareType, hardwareType, interfaceKinds } from '../../contract/hardware.ts'
import type { Platform } from '../platform.ts'
import { allAppliances, isAlive } from '../store/appliances.ts'
import type { Api, Call } from './context.ts'
import { requireVersion } from './microversion.ts'
import { fieldsOf, flag, onlyKnown } from './query.ts'

const known = [
  'name',
  'hosts',
  'type',
  'links',
  'properties',
  ...interfaceKinds.flatMap((kind) => [`default_${kind}_interface`, `enabled_${kind}_interfaces`]),
]

/** Every appliance can drive all of the catalogue. */
export function driverRoutes(app: Api, platform: Platform): void {
  app.get('/v1/drivers', async (call) => {
    onlyKnown(call, ['type'])
    requireVersion(call, parameterSince.drivers, Object.keys(call.req.query()))
    const fields = fieldsOf(call, known)
    const type = call.req.query('type')
    if (type !== undefined && type !== 'dynamic' && type !== 'classic')
      throw new UserError(400, '"type" filter must be one of "classic" or "dynamic", if specified.')
    const hosts = await alive(platform)
    const detail = flag('detail', call.req.query('detail')) ?? false
    const names = type === 'classic' ? [] : drivers
    if (detail && fields) throw new UserError(400, "Can't fetch a subset of fields with detail set")
    const views = names.map((name) => view(call, name, hosts, detail || fields !== undefined))
    return call.json({ drivers: views.map((each) => (fields ? pick(each, fields) : each)) })
  })
  app.get('/v1/drivers/:name', async (call) => {
    const name = call.req.param('name')
    knownDriver(name)
    requireVersion(call, parameterSince.drivers, Object.keys(call.req.query()))
    const fields = fieldsOf(call, known)
    const whole = view(call, name, await alive(platform), true)
    return call.json(fields ? pick(whole, fields) : whole)
  })
  app.get('/v1/drivers/:name/properties', (call) =>
    call.json(knownDriver(call.req.param('name'), unknownDriver).properties),
  )
}

/** Below a driver's path it is unknown; at it, it is not found. */
export const unknownDriver = (name: string): string => `The driver '${name}' is unknown.`

export function knownDriver(
  name: string,
  refusal = (of: string): string => `Could not find the following driver(s) or hardware type(s): ${of}.`,
): HardwareType {
  const type = hardwareType(name)
  if (!type) throw new UserError(404, refusal(name))
  return type
}

async function alive({ table, clock }: Platform): Promise<string[]> {
  const now = clock.now()
  return (await allAppliances(table)).filter((each) => isAlive(each, now)).map(({ name }) => name)
}

function view(call: Call, name: string, hosts: string[], detail: boolean): Record<string, unknown> {
  const { showing, minor } = call.var
  const { interfaces } = knownDriver(name)
  const details = interfaceKinds
    .filter((kind) => exists(fieldSince.nodes, `${kind}_interface`, minor))
    .flatMap((kind) => [
      [`default_${kind}_interface`, interfaces[kind][0]],
      [`enabled_${kind}_interfaces`, interfaces[kind]],
    ])
  return {
    name,
    hosts,
    links: links(showing, `drivers/${name}`),
    ...(minor < 14 ? {} : { properties: links(showing, `drivers/${name}/properties`) }),
    ...(minor < 30 ? {} : { type: 'dynamic', ...(detail ? Object.fromEntries(details) : {}) }),
  }
}
