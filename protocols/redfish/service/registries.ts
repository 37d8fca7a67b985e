import type { JsonObject } from '../json.ts'
import { collection, type Route } from './route.ts'
import type { State } from './state.ts'

export const BIOS_REGISTRY = 'BiosAttributeRegistry.v1_0_0'
const EVENT_REGISTRY = 'ResourceEvent.1.3'

const files: Readonly<Record<string, JsonObject>> = {
  [BIOS_REGISTRY]: {
    '@odata.type': '#AttributeRegistry.v1_3_5.AttributeRegistry',
    Name: 'BIOS attribute registry',
    Description: 'What the BIOS can be set to',
    SupportedSystems: [{ ProductName: 'Simulated server', SystemId: '1', FirmwareVersion: '2.0.0' }],
    RegistryEntries: {
      Attributes: [
        enumeration('ProcTurboMode', ['Enabled', 'Disabled']),
        enumeration('NumLock', ['On', 'Off']),
        { AttributeName: 'BootTimeout', Type: 'Integer', LowerBound: 0, UpperBound: 60, ReadOnly: false },
        { AttributeName: 'QuietBoot', Type: 'Boolean', ReadOnly: false },
      ],
    },
  },
  [EVENT_REGISTRY]: {
    '@odata.type': '#MessageRegistry.v1_6_3.MessageRegistry',
    Name: 'Resource events',
    Description: 'What happens to resources',
    RegistryPrefix: 'ResourceEvent',
    Messages: {
      ResourcePoweredOn: message('The resource `%1` has powered on.', 'OK', ['string']),
      ResourcePoweredOff: message('The resource `%1` has powered off.', 'OK', ['string']),
      ResourceErrorsDetected: {
        ...message('The resource property `%1` has detected errors of type `%2`.', 'Warning', ['string', 'string']),
        Resolution: 'See vendor documentation for what to replace.',
      },
    },
  },
}

/** What attributes and messages mean. */
export function registryRoutes(_state: State): Route[] {
  const path = (id: string): string => `/redfish/v1/Registries/${id}`
  return [
    {
      path: '/redfish/v1/Registries',
      get: () => collection('MessageRegistryFileCollection', 'Registries', Object.keys(files).map(path)),
    },
    ...Object.entries(files).flatMap(([id, content]): Route[] => [
      {
        path: path(id),
        get: () => ({
          '@odata.type': '#MessageRegistryFile.v1_1_3.MessageRegistryFile',
          Id: id,
          Name: content['Name'],
          Description: content['Description'],
          Languages: ['en'],
          Registry: id,
          Location: [{ Language: 'en', Uri: `${path(id)}/registry` }],
        }),
      },
      {
        path: `${path(id)}/registry`,
        get: () => ({ Id: id, Language: 'en', OwningEntity: 'Simulated', RegistryVersion: '1.3.0', ...content }),
      },
    ]),
  ]
}

function message(Message: string, MessageSeverity: string, ParamTypes: readonly string[]): JsonObject {
  return {
    Description: Message,
    Message,
    MessageSeverity,
    Severity: MessageSeverity,
    NumberOfArgs: ParamTypes.length,
    ParamTypes,
    Resolution: 'None',
  }
}

function enumeration(AttributeName: string, values: string[]): JsonObject {
  const Value = values.map((ValueName) => ({ ValueName, ValueDisplayName: ValueName }))
  return { AttributeName, Type: 'Enumeration', ReadOnly: false, Value }
}
