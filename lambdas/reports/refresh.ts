import type { Appliance } from '../../contract/resources.ts'
import { send, URL_SECONDS } from '../conductor/publish.ts'
import { preparePlaces } from '../images/places.ts'
import type { Platform } from '../platform.ts'
import { isReadable } from '../store/images.ts'
import { getNode } from '../store/nodes.ts'

/** A signed URL with its session token takes up to about 2 KiB of a message. */
const AT_ONCE = 20

/** Fresh URLs for blobs that an appliance needs longer than the first ones lasted. It gets those of images and of its own site's nodes. */
export async function refreshUrls(platform: Platform, appliance: Appliance, keys: string[]): Promise<void> {
  const entitled: string[] = []
  for (const key of new Set(keys)) if (await isEntitled(platform, appliance, key)) entitled.push(key)
  for (let at = 0; at < entitled.length; at += AT_ONCE) {
    const signed = entitled.slice(at, at + AT_ONCE).map(async (key) => {
      await preparePlaces(platform.blobs, key, URL_SECONDS)
      return [key, await platform.blobs.signGet(key, URL_SECONDS)] as const
    })
    await send(platform, appliance.uuid, { v: 1, kind: 'urls', urls: Object.fromEntries(await Promise.all(signed)) })
  }
}

async function isEntitled({ table, log }: Platform, appliance: Appliance, key: string): Promise<boolean> {
  const [kind, uuid = ''] = key.split('/')
  const may =
    kind === 'images'
      ? await isReadable(table, uuid)
      : (kind === 'config-drives' || kind === 'plans') &&
        (await getNode(table, uuid))?.conductor_group === appliance.site
  if (!may) log.warn({ appliance: appliance.name, site: appliance.site, key }, 'no URL for this blob')
  return may
}
