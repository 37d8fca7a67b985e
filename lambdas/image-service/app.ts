import { UserError } from '../../contract/api/faults.ts'
import type { Image } from '../../contract/resources.ts'
import type { IdentityConfig } from '../identity/config.ts'
import type { Service } from '../openstack/context.ts'
import { asked, matches } from '../openstack/listing.ts'
import { createService } from '../openstack/service.ts'
import type { Platform } from '../platform.ts'
import { findImage, listImages } from '../store/images.ts'
import { imageView } from './view.ts'

const PATH = '/image/v2/images'

/** Of Glance's Image API v2 what is needed to choose an image, under /image. All images are public; they are pushed by `bloomery image push`. */
export function createImageService(platform: Platform, config: IdentityConfig, publicEndpoint: string | null): Service {
  const { table } = platform
  const app = createService(platform, config, publicEndpoint, {
    fault: (code, message) => ({ code, title: titles[code] ?? 'Error', message }),
    isPublic: (path) => path === '/image' || path === '/image/versions',
  })
  app.on('GET', ['/image', '/image/versions'], (call) => {
    const links = [{ rel: 'self', href: `${call.var.base}/image/v2/` }]
    return call.json({
      versions: ['v2.2', 'v2.1', 'v2.0'].map((id, at) => ({ id, status: at === 0 ? 'CURRENT' : 'SUPPORTED', links })),
    })
  })
  app.get(PATH, async (call) => {
    const { limit, marker, filters } = asked(call)
    const after = marker === undefined ? undefined : await findImage(table, marker)
    if (marker !== undefined && !after) throw new UserError(400, `Invalid marker: ${marker.slice(0, 64)}`)
    const { values, marker: last } = await listImages(table, { limit, ...(after ? { after } : {}) })
    const wanted = Object.fromEntries(Object.entries(filters).map(([name, texts]) => [name, texts.flatMap(choices)]))
    const images = values.map((each) => imageView(each)).filter((view) => matches(view, wanted))
    const query = new URL(call.req.url).searchParams
    if (last) query.set('marker', last.uuid)
    return call.json({
      images,
      first: '/v2/images',
      schema: '/v2/schemas/images',
      ...(last ? { next: `/v2/images?${query.toString()}` } : {}),
    })
  })
  app.get(`${PATH}/:image`, async (call) => call.json(imageView(await imageOf(call.req.param('image')))))
  app.on(['POST', 'PUT', 'PATCH', 'DELETE'], `${PATH}/*`, refused)
  app.post(PATH, refused)
  return app

  async function imageOf(id: string): Promise<Image> {
    const image = await findImage(table, id)
    if (image?.uuid !== id) throw new UserError(404, `No image found with ID ${id}`)
    return image
  }
}

function refused(): never {
  throw new UserError(
    501,
    'Images are pushed and deleted by `bloomery image push` and `bloomery image delete`, which send only what the store lacks.',
  )
}

/** `in:a,b` is one of these. */
const choices = (text: string): string[] => (text.startsWith('in:') ? text.slice(3).split(',') : [text])

const titles: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  501: 'Not Implemented',
}
