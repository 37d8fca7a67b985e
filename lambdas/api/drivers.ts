import { UserError } from '../../contract/api/faults.ts'
import { links } from '../../contract/api/views.ts'
import { drivers, type HardwareType, hardwareType, interfaceKinds } from '../../contract/hardware.ts'
import type { Platform } from '../platform.ts'
import { allAppliances, isAlive } from '../store/appliances.ts'
import type { Api, Call } from './context.ts'
import { flag, onlyKnown } from './query.ts'

/** Every appliance can drive all of the catalogue. */
export function driverRoutes(app: Api, platform: Platform): void {
  app.get('/v1/drivers', async (call) => {
    onlyKnown(call, ['type'])
    const type = call.req.query('type')
    if (type !== undefined && type !== 'dynamic' && type !== 'classic')
      throw new UserError(400, `"${type}" is not a valid driver type: there is classic, dynamic.`)
    const hosts = await alive(platform)
    const detail = flag('detail', call.req.query('detail')) ?? false
    const names = type === 'classic' ? [] : drivers
    return call.json({ drivers: names.map((name) => view(call, name, hosts, detail)) })
  })
  app.get('/v1/drivers/:name', async (call) => {
    const name = call.req.param('name')
    knownDriver(name)
    return call.json(view(call, name, await alive(platform), true))
  })
  app.get('/v1/drivers/:name/properties', (call) => call.json(knownDriver(call.req.param('name')).properties))
}

export function knownDriver(name: string): HardwareType {
  const type = hardwareType(name)
  if (!type) throw new UserError(404, `The driver '${name}' could not be found.`)
  return type
}

async function alive({ table, clock }: Platform): Promise<string[]> {
  const now = clock.now()
  return (await allAppliances(table)).filter((each) => isAlive(each, now)).map(({ name }) => name)
}

function view(call: Call, name: string, hosts: string[], detail: boolean): Record<string, unknown> {
  const { showing, minor } = call.var
  const { interfaces } = knownDriver(name)
  const details = interfaceKinds.flatMap((kind) => [
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
