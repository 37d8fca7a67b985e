import type { Redfish, Resource } from './client.ts'
import { members, required } from './collection.ts'
import { linkAt, linksAt, numberAt, textAt } from './json.ts'
import { readSystem, type System } from './system.ts'
import { settle } from './task.ts'

export interface Drive {
  path: string
  name: string | undefined
  model: string | undefined
  serial: string | undefined
  capacityBytes: number | undefined
  media: string | undefined
  protocol: string | undefined
  health: string | undefined
}

export interface Volume {
  path: string
  name: string | undefined
  raid: string | undefined
  capacityBytes: number | undefined
  drives: readonly string[]
}

export interface Controller {
  path: string
  name: string | undefined
  drives: readonly Drive[]
  volumes: readonly Volume[]
}

export type RaidType = 'RAID0' | 'RAID1' | 'RAID5' | 'RAID6' | 'RAID10' | 'RAID50' | 'RAID60'

const VOLUME_MS = 30 * 60_000

export async function readStorage(bmc: Redfish, system: System): Promise<Controller[]> {
  const operation = 'read storage'
  const path = required(bmc, await readSystem(bmc, system, operation), ['Storage'], operation)
  const controllers: Controller[] = []
  for (const { path: at, body } of await members(bmc, path, operation)) {
    const drives: Drive[] = []
    for (const drive of linksAt(body, 'Drives')) drives.push(driveOf(await bmc.get(drive, operation)))
    const volumes = linkAt(body, 'Volumes')
    const found = volumes === undefined ? [] : await members(bmc, volumes, operation)
    controllers.push({ path: at, name: textAt(body, 'Name'), drives, volumes: found.map(volumeOf) })
  }
  return controllers
}

/** Waits for the controller to have it made. `drives` are paths; none: as the BMC chooses. */
export async function createVolume(
  bmc: Redfish,
  controller: string,
  volume: { name?: string; raid: RaidType; drives: readonly string[]; capacityBytes?: number },
): Promise<void> {
  const operation = `create volume (${volume.raid})`
  const collection = required(bmc, await bmc.get(controller, operation), ['Volumes'], operation)
  const body = {
    RAIDType: volume.raid,
    ...(volume.name === undefined ? {} : { Name: volume.name }),
    ...(volume.capacityBytes === undefined ? {} : { CapacityBytes: volume.capacityBytes }),
    Links: { Drives: volume.drives.map((path) => ({ '@odata.id': path })) },
  }
  const begun = await bmc.send({ method: 'POST', path: collection, body }, { operation })
  await settle(bmc, begun, { operation, timeoutMs: VOLUME_MS })
}

export async function deleteVolume(bmc: Redfish, volume: string): Promise<void> {
  const operation = 'delete volume'
  const begun = await bmc.send({ method: 'DELETE', path: volume }, { operation })
  await settle(bmc, begun, { operation, timeoutMs: VOLUME_MS })
}

function driveOf({ path, body }: Resource): Drive {
  return {
    path,
    name: textAt(body, 'Name'),
    model: textAt(body, 'Model'),
    serial: textAt(body, 'SerialNumber'),
    capacityBytes: numberAt(body, 'CapacityBytes'),
    media: textAt(body, 'MediaType'),
    protocol: textAt(body, 'Protocol'),
    health: textAt(body, 'Status', 'Health'),
  }
}

/** Before RAIDType (Volume 1.3) there was VolumeType, in other words. */
function volumeOf({ path, body }: Resource): Volume {
  return {
    path,
    name: textAt(body, 'Name'),
    raid: textAt(body, 'RAIDType') ?? textAt(body, 'VolumeType'),
    capacityBytes: numberAt(body, 'CapacityBytes'),
    drives: linksAt(body, 'Links', 'Drives'),
  }
}
