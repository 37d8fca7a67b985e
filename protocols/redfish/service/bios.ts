import { objectAt, textAt } from '../json.ts'
import { Refusal } from './machine.ts'
import { collection, done, ref, type Route } from './route.ts'
import { defaultBios, type State, systemPath } from './state.ts'

const REGISTRY = 'BiosAttributeRegistry.v1_0_0'

/** DSP2046 Bios: what is changed waits in the settings resource for the next start. */
export function biosRoutes(state: State): Route[] {
  const path = `${systemPath(state)}/Bios`
  const { bios } = state
  const view = (Attributes: object) => ({
    '@odata.type': '#Bios.v1_1_0.Bios',
    Id: 'BIOS',
    Name: 'BIOS',
    AttributeRegistry: REGISTRY,
    Attributes,
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
      get: () => view({ ...bios.attributes, ...bios.pending }),
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
    ...registryRoutes(),
  ]
}

function registryRoutes(): Route[] {
  const file = `/redfish/v1/Registries/${REGISTRY}`
  const json = `${file}/registry`
  return [
    { path: '/redfish/v1/Registries', get: () => collection('MessageRegistryFileCollection', 'Registries', [file]) },
    {
      path: file,
      get: () => ({
        '@odata.type': '#MessageRegistryFile.v1_1_3.MessageRegistryFile',
        Id: REGISTRY,
        Name: 'BIOS attribute registry',
        Languages: ['en'],
        Registry: REGISTRY,
        Location: [{ Language: 'en', Uri: json }],
      }),
    },
    {
      path: json,
      get: () => ({
        '@odata.type': '#AttributeRegistry.v1_3_5.AttributeRegistry',
        Id: REGISTRY,
        Name: 'BIOS attribute registry',
        Language: 'en',
        OwningEntity: 'Simulated',
        RegistryVersion: '1.0.0',
        SupportedSystems: [],
        RegistryEntries: {
          Attributes: [
            enumeration('ProcTurboMode', ['Enabled', 'Disabled']),
            enumeration('NumLock', ['On', 'Off']),
            { AttributeName: 'BootTimeout', Type: 'Integer', LowerBound: 0, UpperBound: 60, ReadOnly: false },
            { AttributeName: 'QuietBoot', Type: 'Boolean', ReadOnly: false },
          ],
        },
      }),
    },
  ]
}

function enumeration(AttributeName: string, values: string[]) {
  const Value = values.map((ValueName) => ({ ValueName, ValueDisplayName: ValueName }))
  return { AttributeName, Type: 'Enumeration', ReadOnly: false, Value }
}
