import { z } from 'zod'
import { UserError } from '../../contract/api/faults.ts'
import { LARGEST_MANIFEST_TEXT } from '../../contract/images/manifest.ts'
import { pushedChunks, pushedManifest, pushedPage } from '../../contract/images/push.ts'
import { beginPush, completePush, pushChunks, pushPage } from '../images/push.ts'
import type { Platform } from '../platform.ts'
import { readJson } from './body.ts'
import type { Api } from './context.ts'
import { tagged } from './etag.ts'
import { imageName, shown } from './images.ts'

const begin = z.strictObject({ name: imageName })

/** Images in chunks: what a push needs of the cloud. The bytes themselves go straight to the blob store. */
export function imagePushRoutes(app: Api, platform: Platform): void {
  app.post('/v1/image_pushes', async (call) => {
    const { name } = begin.parse(await readJson(call))
    return call.json(await beginPush(platform, name), 201)
  })
  app.post('/v1/image_pushes/:push/chunks', async (call) => {
    const asked = pushedChunks.parse(await readJson(call))
    return call.json({ chunks: await pushChunks(platform, call.req.param('push'), asked) })
  })
  app.put('/v1/image_pushes/:push/pages/:page', async (call) => {
    const { chunks } = pushedPage.parse(await readJson(call))
    await pushPage(platform, call.req.param('push'), pageNumber(call.req.param('page')), chunks)
    return call.body(null, 204)
  })
  app.post('/v1/image_pushes/:push/complete', async (call) => {
    const signed = pushedManifest.parse(await readJson(call, LARGEST_MANIFEST_TEXT))
    const image = await completePush(platform, call.req.param('push'), signed)
    platform.log.info({ image: image.uuid, name: image.name, size: image.size }, 'image complete')
    return tagged(call, image, shown(image), 201)
  })
}

function pageNumber(text: string): number {
  if (/^(0|[1-9]\d{0,4})$/.test(text)) return Number(text)
  throw new UserError(404, `Page ${text} could not be found: pages are numbered from 0.`)
}
