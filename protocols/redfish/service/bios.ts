import { objectAt, textAt } from '../json.ts'
import { Refusal } from './machine.ts'
import { BIOS_REGISTRY } from './registries.ts'
import { done, ref, type Route } from './route.ts'
import { defaultBios, type State, systemPath } from './state.ts'

/** When what waits for one would be done. */
export const maintenanceWindow = {
  MaintenanceWindowDurationInSeconds: 3600,
  MaintenanceWindowStartTime: '2026-01-01T02:00:00Z',
} as const

/** DSP2046 Bios: what is changed waits in the settings resource for the next start. */
export function biosRoutes(state: State): Route[] {
  const path = `${systemPath(state)}/Bios`
  const { bios } = state
  const view = (Attributes: object) => ({
    '@odata.type': '#Bios.v1_1_0.Bios',
    Id: 'BIOS',
    Name: 'BIOS',
    Description: 'BIOS settings',
    AttributeRegistry: BIOS_REGISTRY,
    Attributes,
    '@Redfish.MaintenanceWindow': maintenanceWindow,
  })
  return [
    {
      path,
      get: () => ({
        ...view(bios.attributes),
        '@Redfish.Settings': {
          '@odata.type': '#Settings.v1_3_3.Settings',
          ETag: 'settings',
          Messages: [],
          SettingsObject: ref(`${path}/Settings`),
          SupportedApplyTimes: ['OnReset'],
        },
        Actions: {
          '#Bios.ResetBios': { target: `${path}/Actions/Bios.ResetBios` },
          '#Bios.ChangePassword': { target: `${path}/Actions/Bios.ChangePassword` },
        },
      }),
    },
    {
      path: `${path}/Settings`,
      get: () => ({
        ...view({ ...bios.attributes, ...bios.pending }),
        '@Redfish.SettingsApplyTime': { ApplyTime: 'OnReset', 'ApplyTime@Redfish.AllowableValues': ['OnReset'] },
      }),
      patch: ({ body }) => {
        const wanted = objectAt(body, 'Attributes')
        if (!wanted) throw new Refusal(400, 'PropertyMissing', ['Attributes'])
        const unknown = Object.keys(wanted).find((key) => !Object.hasOwn(bios.attributes, key))
        if (unknown !== undefined) throw new Refusal(400, 'PropertyUnknown', [unknown])
        Object.assign(bios.pending, wanted)
      },
    },
    {
      path: `${path}/Actions/Bios.ResetBios`,
      post: () => {
        Object.assign(bios.pending, defaultBios)
        return done
      },
    },
    {
      path: `${path}/Actions/Bios.ChangePassword`,
      post: ({ body }) => {
        if (textAt(body, 'PasswordName') === undefined)
          throw new Refusal(400, 'ActionParameterMissing', ['PasswordName'])
        return done
      },
    },
  ]
}
