import { type JsonObject, linksAt, textAt } from '../json.ts'
import { Refusal } from './machine.ts'
import { collection, ref, type Route } from './route.ts'
import { nextId, type State, systemPath, type Volume } from './state.ts'
import { begin } from './tasks.ts'

const TASK_MS = 900
const raids: Readonly<Record<string, number>> = { RAID0: 1, RAID1: 2, RAID5: 3, RAID10: 4 }

export function storageRoutes(state: State): Route[] {
  const storage = `${systemPath(state)}/Storage`
  const path = `${storage}/1`
  const { drives } = state.machine.facts
  const drivePath = (id: string): string => `${path}/Drives/${id}`
  const volumePath = (id: string): string => `${path}/Volumes/${id}`
  const find = (id: string | undefined): Volume => {
    const volume = state.volumes.find((each) => each.id === id)
    if (!volume) throw new Refusal(404, 'ResourceMissingAtURI', [volumePath(id ?? '')])
    return volume
  }
  return [
    { path: storage, get: () => collection('StorageCollection', 'Storage', [path]) },
    {
      path,
      get: () => ({
        '@odata.type': '#Storage.v1_12_0.Storage',
        Id: '1',
        Name: 'Storage controller',
        Status: { State: 'Enabled', Health: 'OK' },
        StorageControllers: [
          { MemberId: '0', Name: 'Controller', Model: 'Simulated', SupportedDeviceProtocols: ['SAS', 'SATA'] },
        ],
        Drives: drives.map(({ id }) => ref(drivePath(id))),
        Volumes: ref(`${path}/Volumes`),
      }),
    },
    ...drives.map((drive): Route => ({
      path: drivePath(drive.id),
      get: () => ({
        '@odata.type': '#Drive.v1_14_0.Drive',
        Id: drive.id,
        Name: drive.id,
        Model: drive.model ?? 'Simulated drive',
        SerialNumber: drive.serial ?? drive.id,
        CapacityBytes: drive.capacityBytes,
        MediaType: drive.media,
        Protocol: 'SATA',
        Status: { State: 'Enabled', Health: 'OK' },
      }),
    })),
    {
      path: `${path}/Volumes`,
      get: () => ({
        ...collection(
          'VolumeCollection',
          'Volumes',
          state.volumes.map(({ id }) => volumePath(id)),
        ),
        '@Redfish.OperationApplyTimeSupport': { SupportedValues: ['Immediate'] },
      }),
      post: ({ body }) => {
        const volume = newVolume(state, body, linksAt(body, 'Links', 'Drives').concat(linksAt(body, 'Drives')))
        return begin(state, 'create volume', TASK_MS, () => state.volumes.push(volume))
      },
    },
    {
      path: `${path}/Volumes/:id`,
      get: ({ at }) => {
        const { id, name, raid, capacityBytes, drives } = find(at['id'])
        return {
          '@odata.type': '#Volume.v1_6_2.Volume',
          Id: id,
          Name: name,
          RAIDType: raid,
          CapacityBytes: capacityBytes,
          Links: { Drives: drives.map((drive) => ref(drivePath(drive))) },
        }
      },
      delete: ({ at }) => {
        const volume = find(at['id'])
        return begin(state, 'delete volume', TASK_MS, () => void state.volumes.splice(state.volumes.indexOf(volume), 1))
      },
    },
  ]
}

function newVolume(state: State, body: JsonObject, links: readonly string[]): Volume {
  const raid = textAt(body, 'RAIDType') ?? 'RAID0'
  const least = Object.hasOwn(raids, raid) ? raids[raid]! : Number.POSITIVE_INFINITY
  const chosen = links.map((link) => link.split('/').at(-1) ?? '')
  const drives = state.machine.facts.drives.filter(({ id }) => chosen.length === 0 || chosen.includes(id))
  const taken = state.volumes.flatMap((volume) => volume.drives)
  if (drives.some(({ id }) => taken.includes(id))) throw new Refusal(409, 'ResourceInUse')
  if (drives.length < least) throw new Refusal(400, 'PropertyValueNotInList', [raid, 'RAIDType'])
  const smallest = Math.min(...drives.map(({ capacityBytes }) => capacityBytes))
  const shares =
    { RAID0: drives.length, RAID1: 1, RAID5: drives.length - 1, RAID10: Math.floor(drives.length / 2) }[raid] ?? 1
  const id = nextId(state)
  return {
    id,
    name: textAt(body, 'Name') ?? `Volume ${id}`,
    raid,
    drives: drives.map((drive) => drive.id),
    capacityBytes: smallest * shares,
  }
}
