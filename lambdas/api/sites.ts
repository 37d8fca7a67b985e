import { z } from 'zod'
import { UserError } from '../../contract/api/faults.ts'
import { type Site, site as siteSchema, siteName } from '../../contract/resources.ts'
import { ConflictError, type Platform } from '../platform.ts'
import { getSite, listSites, siteItem } from '../store/sites.ts'
import { tokenItem } from '../store/tokens.ts'
import { readJson } from './body.ts'
import type { Api } from './context.ts'
import { tagged } from './etag.ts'
import { collection, onlyKnown, paging } from './query.ts'

const TOKEN_SECONDS = 3600
const creation = z.strictObject({ name: siteName, description: siteSchema.shape.description.optional() })

export function siteRoutes(app: Api, platform: Platform): void {
  const { table, clock, ids } = platform
  app.post('/v1/sites', async (call) => {
    const { name, description = null } = creation.parse(await readJson(call))
    const site: Site = { name, description, created_at: clock.now().toISOString(), version: 1 }
    await create(platform, site)
    call.header('location', `${call.var.showing.base}/v1/sites/${name}`)
    return tagged(call, site, shown(site), 201)
  })
  app.get('/v1/sites', async (call) => {
    onlyKnown(call, [])
    const { limit, marker } = paging(call)
    const after = marker === undefined ? undefined : await siteOf(platform, marker)
    const found = await listSites(table, { limit, after })
    return call.json(collection(call, 'sites', 'sites', found.values.map(shown), found.marker?.name))
  })
  app.get('/v1/sites/:name', async (call) => {
    const site = await siteOf(platform, call.req.param('name'))
    return tagged(call, site, shown(site))
  })
  app.post('/v1/sites/:name/tokens', async (call) => {
    const { name } = await siteOf(platform, call.req.param('name'))
    const token = ids.token(32)
    const expires = new Date(clock.now().getTime() + TOKEN_SECONDS * 1000).toISOString()
    await table.write([{ put: tokenItem(token, { site: name, expires }), expect: 'absent' }])
    return call.json({ token, expires_at: expires }, 201)
  })
}

async function create({ table, log }: Platform, site: Site): Promise<void> {
  try {
    await table.write([{ put: siteItem(site), expect: 'absent' }])
  } catch (error) {
    if (error instanceof ConflictError) throw new UserError(409, `A site with name ${site.name} already exists.`)
    throw error
  }
  log.info({ site: site.name }, 'site created')
}

async function siteOf({ table }: Platform, name: string): Promise<Site> {
  const site = await getSite(table, name)
  if (!site) throw new UserError(404, `Site ${name} could not be found.`)
  return site
}

function shown({ version: _version, ...site }: Site) {
  return site
}
