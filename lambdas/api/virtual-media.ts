import { z } from 'zod'
import { mediaDevice } from '../../contract/step-arguments.ts'
import type { Platform } from '../platform.ts'
import { hardwareOf } from '../store/hardware.ts'
import { askBmc, nodeThatOffers } from './ask-bmc.ts'
import { readJson } from './body.ts'
import type { Api } from './context.ts'

const attachment = z.strictObject({
  device_type: mediaDevice,
  image_url: z.url({ protocol: /^(https?|nfs|cifs|file)$/ }).max(2048),
  image_download_source: z.enum(['local', 'http', 'swift']).optional(),
})

/** A BMC's drives for images that it fetches by itself; the list is as the site last read it. */
export function virtualMediaRoutes(app: Api, platform: Platform): void {
  const path = '/v1/nodes/:ident/vmedia'
  app.get(path, async (call) => {
    const { uuid } = await nodeThatOffers(platform, call, 'get_virtual_media')
    return call.json({ virtual_media: (await hardwareOf(platform.table, uuid)).virtual_media ?? [] })
  })
  app.post(path, async (call) => {
    const { device_type, image_url } = attachment.parse(await readJson(call))
    await askBmc(platform, call, 'attach_virtual_media', {
      step: 'management.attach_virtual_media',
      args: { device_type, image_url },
    })
    return call.body(null, 204)
  })
  app.delete(path, async (call) => {
    const asked = call.req.query('device_types')
    const device_types = asked === undefined ? null : z.array(mediaDevice).parse(asked.split(','))
    await askBmc(platform, call, 'detach_virtual_media', {
      step: 'management.detach_virtual_media',
      args: { device_types },
    })
    return call.body(null, 204)
  })
}
