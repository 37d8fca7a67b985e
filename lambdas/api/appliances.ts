import { z } from 'zod'
import { UserError } from '../../contract/api/faults.ts'
import { applyPatch, parsePatch } from '../../contract/api/patch.ts'
import { type Appliance, appliance as applianceSchema } from '../../contract/resources.ts'
import { ConflictError, type Platform } from '../platform.ts'
import { applianceNamed, getAppliance, isAlive, removeAppliance, renameAppliance } from '../store/appliances.ts'
import { readJson } from './body.ts'
import { conductorTag, conductorView, noConductor } from './conductors.ts'
import type { Api, Call } from './context.ts'
import { requireMatch, tagged } from './etag.ts'
import { flag } from './query.ts'

/** What only we let people do with conductors: rename an appliance, and forget one that is dead. */

const ATTEMPTS = 10
const patched = z.strictObject({ hostname: applianceSchema.shape.name })

export function applianceRoutes(app: Api, platform: Platform): void {
  app.patch('/v1/conductors/:name', async (call) => {
    const appliance = await named(call, platform)
    const document = { hostname: appliance.name }
    const wanted = applyPatch(document, parsePatch(await readJson(call)), {
      defaults: { hostname: undefined },
      escapes: true,
    })
    const { hostname } = patched.parse(wanted)
    const renamed = await retried(platform, appliance, (now) => renameAppliance(platform.table, now, hostname))
    platform.log.info({ site: renamed.site, appliance: renamed.uuid, from: appliance.name, to: hostname }, 'renamed')
    return tagged(call, conductorTag(renamed), conductorView(call, platform, renamed))
  })
  app.delete('/v1/conductors/:name', async (call) => {
    const appliance = await named(call, platform)
    const force = flag('force', call.req.query('force')) ?? false
    if (!force && isAlive(appliance, platform.clock.now()))
      throw new UserError(
        409,
        `Appliance ${appliance.name} is alive (last heard of at ${appliance.last_seen}): stop it first, or say force=true.`,
      )
    await platform.identity.revoke(appliance.uuid)
    await retried(platform, appliance, (now) => removeAppliance(platform.table, now, platform.clock.now()))
    platform.log.warn({ site: appliance.site, appliance: appliance.uuid, name: appliance.name, force }, 'deleted')
    return call.body(null, 204)
  })
}

async function named(call: Call, { table }: Platform): Promise<Appliance> {
  const name = call.req.param('name') ?? ''
  const appliance = await applianceNamed(table, name)
  if (!appliance) throw noConductor(name)
  requireMatch(call, `Conductor ${name}`, conductorTag(appliance))
  return appliance
}

/** Its signs of life write it too. */
async function retried<T>(
  { table }: Platform,
  first: Appliance,
  change: (appliance: Appliance) => Promise<T>,
): Promise<T> {
  let appliance: Appliance | undefined = first
  for (let attempt = 0; attempt < ATTEMPTS && appliance; attempt += 1) {
    try {
      return await change(appliance)
    } catch (error) {
      if (!(error instanceof ConflictError)) throw error
      appliance = await getAppliance(table, first.uuid)
    }
  }
  throw appliance
    ? new UserError(409, `Appliance ${first.name} was changed at the same moment, please retry.`)
    : noConductor(first.name)
}
