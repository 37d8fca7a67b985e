import { UserError } from '../../contract/api/faults.ts'
import type { Service } from '../openstack/context.ts'
import { PATH } from './path.ts'

/** What of Glance is not here, and why. */
const absent: Readonly<Record<string, string>> = {
  tasks: 'An image is imported by its own request (`openstack image import`), and its tasks are listed with it.',
  metadefs: 'There are no metadata definitions: properties of images are whatever their owners write.',
  cache: 'There is no cache here: `bloomery image prefetch` brings images to sites.',
  cached_images: 'There is no cache here: `bloomery image prefetch` brings images to sites.',
  queued_images: 'There is no cache here: `bloomery image prefetch` brings images to sites.',
}

export function absentRoutes(app: Service): void {
  for (const [name, why] of Object.entries(absent))
    app.all(`${PATH}/${name}/*`, () => {
      throw new UserError(501, why)
    })
}
