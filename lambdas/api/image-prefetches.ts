import { UserError } from '../../contract/api/faults.ts'
import { isOver, type Prefetch, prefetchRequest, type PrefetchRequest } from '../../contract/images/prefetch.ts'
import type { ImageReference } from '../../contract/plan-sources.ts'
import type { Appliance, Image } from '../../contract/resources.ts'
import { stored } from '../conductor/image-source.ts'
import { send, URL_SECONDS } from '../conductor/publish.ts'
import type { Platform } from '../platform.ts'
import { appliancesOf, isAlive } from '../store/appliances.ts'
import { prefetchesOf, prefetchItem, prefetchKey } from '../store/prefetches.ts'
import { getSite } from '../store/sites.ts'
import { readJson } from './body.ts'
import type { Api } from './context.ts'
import { imageOf } from './images.ts'

/** An image at a site before anybody deploys it there: asked of all appliances of the site, each of which has a cache. */
export function imagePrefetchRoutes(app: Api, platform: Platform): void {
  const path = '/v1/images/:ident/prefetch'
  const { table, clock } = platform
  app.post(path, async (call) => {
    const image = await imageOf(call, platform, call.req.param('ident'))
    const asked = prefetchRequest.parse((await readJson(call)) ?? {})
    if (image.state !== 'active')
      throw new UserError(409, `Image ${image.name} is not complete: its upload has not been confirmed.`)
    const prefetches = await ask(platform, image, asked)
    return call.json({ prefetches }, 202)
  })
  app.get(path, async (call) => {
    const { uuid } = await imageOf(call, platform, call.req.param('ident'))
    return call.json({ prefetches: await prefetchesOf(table, uuid, clock.now()) })
  })
  app.delete(path, async (call) => {
    const { uuid } = await imageOf(call, platform, call.req.param('ident'))
    const { site } = prefetchRequest.parse({ site: call.req.query('site') })
    for (const appliance of await appliancesOf(table, site))
      await send(platform, appliance.uuid, { v: 1, kind: 'prefetch', image: uuid, wanted: null, urls: {} })
    return call.body(null, 202)
  })
}

async function ask(platform: Platform, image: Image, { site }: PrefetchRequest): Promise<Prefetch[]> {
  const { table, clock, blobs } = platform
  const now = clock.now()
  if (!(await getSite(table, site))) throw new UserError(404, `Site ${site} could not be found.`)
  const alive = (await appliancesOf(table, site)).filter((appliance) => isAlive(appliance, now))
  if (alive.length === 0)
    throw new UserError(
      503,
      `Site ${site} is away: none of its appliances was heard of lately. Ask again when one is back.`,
    )
  const wanted = stored(image)
  const urls =
    wanted.source.kind === 'blob' ? { [wanted.source.key]: await blobs.signGet(wanted.source.key, URL_SECONDS) } : {}
  return Promise.all(alive.map((appliance) => askOne(platform, image, appliance, { wanted, urls })))
}

async function askOne(
  platform: Platform,
  { uuid }: Image,
  appliance: Appliance,
  message: { wanted: ImageReference; urls: Record<string, string> },
): Promise<Prefetch> {
  const { table, clock } = platform
  const at = clock.now().toISOString()
  const before = await table.get(prefetchKey(uuid, appliance.uuid))
  const last = before?.value as Prefetch | undefined
  const value: Prefetch = {
    image_uuid: uuid,
    site: appliance.site,
    appliance: appliance.name,
    // Asked twice it is fetched once.
    phase: last && !isOver(last.phase) ? last.phase : 'asked',
    percent: last && !isOver(last.phase) ? last.percent : 0,
    note: null,
    asked_at: at,
    updated_at: at,
  }
  // Written first: what the site says of it is of something that is known. Two who ask at once want the same.
  await table.write([{ put: prefetchItem(value, appliance.uuid, (before?.version ?? 0) + 1) }])
  await send(platform, appliance.uuid, { v: 1, kind: 'prefetch', image: uuid, ...message })
  return value
}
