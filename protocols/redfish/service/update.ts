import { textAt, textsAt } from '../json.ts'
import { Refusal } from './machine.ts'
import { collection, ref, type Route } from './route.ts'
import type { State } from './state.ts'
import { begin } from './tasks.ts'

const SERVICE = '/redfish/v1/UpdateService'
const TASK_MS = 3000

/** The version that an image brings is in its name: `bios-2.1.0.bin`. */
export function updateRoutes(state: State): Route[] {
  const { firmware } = state
  const path = (id: string): string => `${SERVICE}/FirmwareInventory/${id}`
  return [
    {
      path: SERVICE,
      get: () => ({
        '@odata.type': '#UpdateService.v1_11_0.UpdateService',
        Id: 'UpdateService',
        Name: 'Update service',
        ServiceEnabled: true,
        FirmwareInventory: ref(`${SERVICE}/FirmwareInventory`),
        SoftwareInventory: ref(`${SERVICE}/FirmwareInventory`),
        Actions: {
          '#UpdateService.SimpleUpdate': {
            target: `${SERVICE}/Actions/UpdateService.SimpleUpdate`,
            'TransferProtocol@Redfish.AllowableValues': ['HTTP', 'HTTPS'],
          },
        },
      }),
    },
    {
      path: `${SERVICE}/FirmwareInventory`,
      get: () => collection('SoftwareInventoryCollection', 'Firmware', [...firmware.keys()].map(path)),
    },
    {
      path: `${SERVICE}/FirmwareInventory/:id`,
      get: ({ at }) => {
        const found = firmware.get(at['id'] ?? '')
        if (!found) throw new Refusal(404, 'ResourceMissingAtURI', [at['id'] ?? ''])
        const { name, version, updateable } = found
        return {
          '@odata.type': '#SoftwareInventory.v1_6_1.SoftwareInventory',
          Id: at['id'],
          Name: name,
          Version: version,
          Updateable: updateable,
        }
      },
    },
    {
      path: `${SERVICE}/Actions/UpdateService.SimpleUpdate`,
      post: ({ body }) => {
        const image = textAt(body, 'ImageURI')
        if (image === undefined) throw new Refusal(400, 'ActionParameterMissing', ['SimpleUpdate', 'ImageURI'])
        const targets = textsAt(body, 'Targets').map((target) => target.split('/').at(-1) ?? '')
        const version = /(\d+(?:\.\d+)+)\.\w+$/.exec(image)?.[1] ?? 'unknown'
        return begin(state, 'update firmware', TASK_MS, () => {
          for (const [id, item] of firmware) if (targets.length === 0 || targets.includes(id)) item.version = version
        })
      },
    },
  ]
}
