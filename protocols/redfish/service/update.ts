import { listAt, textAt, textsAt } from '../json.ts'
import { Refusal } from './machine.ts'
import { multipartOf } from './multipart.ts'
import { collection, ref, type Result, type Route } from './route.ts'
import type { State } from './state.ts'
import { begin } from './tasks.ts'

const SERVICE = '/redfish/v1/UpdateService'
const [PUSH, MULTIPART] = [`${SERVICE}/update`, `${SERVICE}/upload`] as const
const TASK_MS = 3000
/** Of what is pushed; the rest is of no interest to a simulator. */
const HEAD = 4096

/** The version that an image brings is in its name: `bios-2.1.0.bin`; of one without a name, in its first words: `version 2.1.0`. */
export function updateRoutes(state: State): Route[] {
  const { firmware, push } = state
  const { updates = ['fetch', 'multipart', 'push'] } = state.dialect
  const path = (id: string): string => `${SERVICE}/FirmwareInventory/${id}`
  const fetches = `${SERVICE}/Actions/UpdateService.SimpleUpdate`
  return [
    {
      path: SERVICE,
      get: () => ({
        '@odata.type': '#UpdateService.v1_11_0.UpdateService',
        Id: 'UpdateService',
        Name: 'Update service',
        ServiceEnabled: true,
        Status: { State: 'Enabled', Health: 'OK' },
        FirmwareInventory: ref(`${SERVICE}/FirmwareInventory`),
        SoftwareInventory: ref(`${SERVICE}/FirmwareInventory`),
        ...(updates.includes('multipart') ? { MultipartHttpPushUri: MULTIPART } : {}),
        ...(updates.includes('push')
          ? { HttpPushUri: PUSH, HttpPushUriTargets: push.targets, HttpPushUriTargetsBusy: push.busy }
          : {}),
        Actions: updates.includes('fetch')
          ? {
              '#UpdateService.SimpleUpdate': {
                target: fetches,
                'TransferProtocol@Redfish.AllowableValues': ['HTTP', 'HTTPS'],
              },
            }
          : {},
      }),
      patch: ({ body }) => {
        if (push.busy && body['HttpPushUriTargetsBusy'] !== false) throw new Refusal(409, 'ResourceInUse')
        push.targets = textsAt(body, 'HttpPushUriTargets')
        push.busy = body['HttpPushUriTargetsBusy'] === true
      },
    },
    {
      path: `${SERVICE}/FirmwareInventory`,
      get: () => collection('SoftwareInventoryCollection', 'Firmware', [...firmware.keys()].map(path)),
    },
    {
      path: `${SERVICE}/FirmwareInventory/:id`,
      get: ({ at }) => viewSoftware(state, at['id'] ?? ''),
    },
    ...(updates.includes('fetch')
      ? [
          {
            path: fetches,
            post: ({ body }) => {
              const image = textAt(body, 'ImageURI')
              if (image === undefined) throw new Refusal(400, 'ActionParameterMissing', ['SimpleUpdate', 'ImageURI'])
              return install(state, image, textsAt(body, 'Targets'))
            },
          } satisfies Route,
        ]
      : []),
    {
      path: PUSH,
      raw: true,
      post: ({ bytes }) => install(state, Buffer.from(bytes.subarray(0, HEAD)).toString('latin1'), push.targets),
    },
    {
      path: MULTIPART,
      raw: true,
      post: ({ bytes, headers }) => {
        const parts = multipartOf(bytes, headers['content-type'])
        const [parameters, file] = ['UpdateParameters', 'UpdateFile'].map((name) =>
          parts.find((part) => part.name === name),
        )
        if (!parameters || !file) throw new Refusal(400, 'ActionParameterMissing', ['upload', 'UpdateFile'])
        const targets = listAt(JSON.parse(parameters.content.toString('utf8')), 'Targets')
        return install(
          state,
          file.filename ?? '',
          targets.filter((each) => typeof each === 'string'),
        )
      },
    },
  ]
}

function install(state: State, told: string, paths: readonly string[]): Result {
  const targets = paths.map((target) => target.split('/').at(-1) ?? '')
  const unknown = targets.find((id) => !state.firmware.has(id))
  if (unknown !== undefined) throw new Refusal(400, 'PropertyValueNotInList', [unknown, 'Targets'])
  const version = /(\d+(?:\.\d+)+)\.\w+$/.exec(told)?.[1] ?? /version (\d+(?:\.\d+)+)/.exec(told)?.[1] ?? 'unknown'
  return begin(state, 'update firmware', TASK_MS, () => {
    for (const [id, item] of state.firmware) if (targets.length === 0 || targets.includes(id)) item.version = version
  })
}

function viewSoftware(state: State, id: string) {
  const found = state.firmware.get(id)
  if (!found) throw new Refusal(404, 'ResourceMissingAtURI', [id])
  const { name, version, updateable } = found
  return {
    '@odata.type': '#SoftwareInventory.v1_6_1.SoftwareInventory',
    Id: id,
    Name: name,
    Version: version,
    Updateable: updateable,
    LowestSupportedVersion: '0.9.0',
    Manufacturer: state.dialect.manufacturer,
    ReleaseDate: '2026-01-01T00:00:00Z',
    SoftwareId: `sw-${id.toLowerCase()}`,
    RelatedItem: [],
    UefiDevicePaths: [],
    Status: { State: 'Enabled', Health: 'OK' },
  }
}
