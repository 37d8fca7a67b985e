import { changeDellController, dellController, dellDrive } from './dell-raid.ts'
import { type JsonObject, linksAt, objectAt, textAt } from '../json.ts'
import { Refusal } from './machine.ts'
import { collection, ref, type Route } from './route.ts'
import { nextId, type State, systemPath, type Volume } from './state.ts'
import { begin } from './tasks.ts'

const TASK_MS = 900
const applyTimes = { '@odata.type': '#Settings.v1_3_3.OperationApplyTimeSupport', SupportedValues: ['Immediate'] }
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
          {
            MemberId: '0',
            Name: 'Controller',
            Model: 'Simulated',
            SupportedDeviceProtocols: ['SAS', 'SATA'],
            SupportedRAIDTypes: Object.keys(raids),
          },
        ],
        Controllers: ref(`${path}/Controllers`),
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
        BlockSizeBytes: 512,
        Identifiers: identifiers(drive.id),
        IndicatorLED: state.lights.get(drive.id) ?? 'Off',
        Manufacturer: 'Simulated',
        PartNumber: 'P-1',
        Revision: '1.0',
        Links: {
          Volumes: state.volumes
            .filter((volume) => volume.drives.includes(drive.id))
            .map(({ id }) => ref(volumePath(id))),
        },
        FailurePredicted: state.machine.vitals?.failingDrive === drive.id,
        Status: { State: 'Enabled', Health: 'OK' },
        ...dellDrive(state, drive.id),
      }),
      patch: ({ body }) => {
        const light = textAt(body, 'IndicatorLED')
        if (light === undefined) throw new Refusal(400, 'PropertyMissing', ['IndicatorLED'])
        state.lights.set(drive.id, light)
      },
    })),
    {
      path: `${path}/Volumes`,
      get: () => ({
        ...collection(
          'VolumeCollection',
          'Volumes',
          state.volumes.map(({ id }) => volumePath(id)),
        ),
        '@Redfish.OperationApplyTimeSupport': applyTimes,
      }),
      post: ({ body }) => {
        const volume = newVolume(state, body, linksAt(body, 'Links', 'Drives').concat(linksAt(body, 'Drives')))
        return begin(state, 'create volume', TASK_MS, () => state.volumes.push(volume))
      },
    },
    {
      path: `${path}/InitializeVolume/:id`,
      post: ({ at }) => {
        find(at['id'])
        return begin(state, 'initialize volume', TASK_MS, () => {})
      },
    },
    ...controllerRoutes(state, `${path}/Controllers`),
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
          BlockSizeBytes: 512,
          Encrypted: false,
          Identifiers: identifiers(`volume-${id}`),
          VolumeType: raid === 'RAID1' ? 'Mirrored' : 'NonRedundant',
          '@Redfish.OperationApplyTimeSupport': applyTimes,
          Actions: {
            '#Volume.Initialize': {
              target: `${path}/InitializeVolume/${id}`,
              'InitializeType@Redfish.AllowableValues': ['Fast', 'Slow'],
            },
          },
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

/** What is changed waits in the settings resource, like a BIOS's. */
function controllerRoutes(state: State, all: string): Route[] {
  const path = `${all}/1`
  const view = (): JsonObject => ({
    '@odata.type': '#StorageController.v1_6_0.StorageController',
    Id: '1',
    Name: 'Storage controller',
    Identifiers: identifiers('controller-1'),
    SpeedGbps: 12,
    SupportedControllerProtocols: ['PCIe'],
    SupportedDeviceProtocols: ['SAS', 'SATA'],
    SupportedRAIDTypes: Object.keys(raids),
    Status: { State: 'Enabled', Health: 'OK' },
    Oem: { ...state.controller, ...dellController(state) },
    '@Redfish.Settings': {
      '@odata.type': '#Settings.v1_3_3.Settings',
      SettingsObject: ref(`${path}/Settings`),
      SupportedApplyTimes: ['Immediate', 'OnReset'],
    },
  })
  return [
    { path: all, get: () => collection('StorageControllerCollection', 'Controllers', [path]) },
    { path, get: view },
    {
      path: `${path}/Settings`,
      get: view,
      patch: ({ body }) =>
        changeDellController(state, body) ?? void Object.assign(state.controller, objectAt(body, 'ControllerRates')),
    },
  ]
}

function identifiers(name: string): JsonObject[] {
  return [{ DurableName: name, DurableNameFormat: 'UUID' }]
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
