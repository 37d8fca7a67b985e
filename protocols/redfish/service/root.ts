import { collection, ref, type Route } from './route.ts'
import { chassisPath, managerPath, type State, systemPath } from './state.ts'

/** DSP0266 §8.2, and the collections that it names. */
export function rootRoutes(state: State): Route[] {
  const { dialect, machine } = state
  const sessions = dialect.noSessions
    ? {}
    : {
        SessionService: ref('/redfish/v1/SessionService'),
        Links: { Sessions: ref('/redfish/v1/SessionService/Sessions') },
      }
  return [
    { path: '/redfish', open: ['get'], get: () => ({ v1: '/redfish/v1/' }) },
    {
      path: '/redfish/v1',
      open: ['get'],
      get: () => ({
        '@odata.type': '#ServiceRoot.v1_11_0.ServiceRoot',
        Id: 'RootService',
        Name: 'Root Service',
        RedfishVersion: '1.13.0',
        Product: 'Simulated BMC',
        UUID: machine.facts.uuid,
        ProtocolFeaturesSupported: {
          ExpandQuery: {
            ExpandAll: dialect.expand ?? false,
            NoLinks: dialect.expand ?? false,
            Levels: dialect.expand ?? false,
          },
        },
        Systems: ref('/redfish/v1/Systems'),
        Chassis: ref('/redfish/v1/Chassis'),
        Managers: ref('/redfish/v1/Managers'),
        AccountService: ref('/redfish/v1/AccountService'),
        UpdateService: ref('/redfish/v1/UpdateService'),
        Tasks: ref('/redfish/v1/TaskService'),
        Registries: ref('/redfish/v1/Registries'),
        CertificateService: ref('/redfish/v1/CertificateService'),
        EventService: ref('/redfish/v1/EventService'),
        ...sessions,
        ...dialect.root,
      }),
    },
    list('/redfish/v1/Systems', 'ComputerSystemCollection', [systemPath(state)]),
    list('/redfish/v1/Chassis', 'ChassisCollection', [chassisPath]),
    list('/redfish/v1/Managers', 'ManagerCollection', [managerPath(state)]),
  ]
}

export function list(path: string, type: string, members: readonly string[]): Route {
  return { path, get: () => collection(type, type.replace('Collection', ' collection'), members) }
}
