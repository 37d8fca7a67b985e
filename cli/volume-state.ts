import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import { ApiError } from '../contract/api/client.ts'
import { idOf, type OpenStack } from './openstack.ts'
import { OutcomeError } from './usage.ts'

/** A volume as the volume service shows it. */

const volume = z.looseObject({
  id: z.string(),
  name: z.string(),
  status: z.string(),
  size: z.number(),
  availability_zone: z.string(),
  bootable: z.string(),
  created_at: z.string(),
  metadata: z.record(z.string(), z.string()),
  attachments: z.array(z.looseObject({ server_id: z.string().nullable(), host_name: z.string().nullable() })),
  'bloomery:fault': z.string().nullish(),
})
export type VolumeView = z.infer<typeof volume>

export const VOLUMES = '/volume/v3/volumes'
const POLL_MS = 1000

export async function listVolumes(openstack: OpenStack, everyone: boolean): Promise<VolumeView[]> {
  const reply = await openstack.ask('GET', `${VOLUMES}/detail${everyone ? '?all_tenants=1' : ''}`)
  return z.object({ volumes: z.array(volume) }).parse(reply).volumes
}

export const idOfVolume = (openstack: OpenStack, ident: string): Promise<string> =>
  idOf(openstack, VOLUMES, 'volumes', ident)

export async function showVolume(openstack: OpenStack, id: string): Promise<VolumeView> {
  return z.object({ volume }).parse(await openstack.ask('GET', `${VOLUMES}/${id}`)).volume
}

export async function createVolume(openstack: OpenStack, body: object): Promise<VolumeView> {
  return z.object({ volume }).parse(await openstack.ask('POST', VOLUMES, { volume: body })).volume
}

/** Until its site has done with it. Undefined: it is no more. Rejects where that failed. */
export async function restedVolume(openstack: OpenStack, id: string, seconds: number): Promise<VolumeView | undefined> {
  const until = Date.now() + seconds * 1000
  for (;;) {
    const now = await showVolume(openstack, id).catch((error: unknown) => {
      if (error instanceof ApiError && error.status === 404) return undefined
      throw error
    })
    if (now?.status.startsWith('error'))
      throw new OutcomeError(
        `${now.name || id} is in ${now.status}: ${now['bloomery:fault'] ?? 'nothing is said of why'}`,
      )
    if (now === undefined || !now.status.endsWith('ing')) return now
    if (Date.now() > until) throw new OutcomeError(`${now.name || id} is still ${now.status} after ${seconds} s`)
    await sleep(POLL_MS)
  }
}
