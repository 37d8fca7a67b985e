import { textAt } from '../json.ts'
import { dellLinks } from './dell.ts'
import { configurationActions } from './dell-configuration.ts'
import { Refusal } from './machine.ts'
import { collection, done, ref, type Route } from './route.ts'
import { chassisPath, managerPath, type State, systemPath } from './state.ts'

const console = (types: readonly string[]) => ({
  ServiceEnabled: true,
  MaxConcurrentSessions: 1,
  ConnectTypesSupported: types,
})
const consoles = {
  GraphicalConsole: console(['KVMIP']),
  SerialConsole: console(['IPMI', 'SSH']),
  CommandShell: console(['SSH']),
}

export function managerRoutes(state: State): Route[] {
  const path = managerPath(state)
  const { dialect, machine, firmware, log } = state
  const entries = `${path}/LogServices/Log/Entries`
  return [
    {
      path,
      get: () => ({
        '@odata.type': '#Manager.v1_14_0.Manager',
        Id: dialect.managerId,
        Name: 'Manager',
        Description: 'The BMC',
        Model: 'Simulated BMC',
        AutoDSTEnabled: false,
        ManagerType: 'BMC',
        Manufacturer: dialect.manufacturer,
        UUID: machine.facts.uuid,
        DateTime: state.dateTime ?? '1970-01-01T00:00:00Z',
        DateTimeLocalOffset: '+00:00',
        FirmwareVersion: firmware.get('BMC')?.version,
        Status: { State: 'Enabled', Health: 'OK' },
        ...(dialect.media.where === 'managers' ? { VirtualMedia: ref(`${path}/VirtualMedia`) } : {}),
        LogServices: ref(`${path}/LogServices`),
        NetworkProtocol: ref(`${path}/NetworkProtocol`),
        ...consoles,
        Links: {
          ManagerForServers: [ref(systemPath(state))],
          ManagerForChassis: [ref(chassisPath)],
          ...dellLinks(state),
        },
        Actions: {
          '#Manager.Reset': {
            target: `${path}/Actions/Manager.Reset`,
            'ResetType@Redfish.AllowableValues': ['GracefulRestart', 'ForceRestart'],
          },
          ...configurationActions(state),
        },
      }),
      patch: ({ body }) => {
        const at = textAt(body, 'DateTime')
        if (at === undefined) throw new Refusal(400, 'PropertyUnknown', [Object.keys(body).join(' ')])
        state.dateTime = at
      },
    },
    {
      // A restarted BMC has forgotten who was logged in.
      path: `${path}/Actions/Manager.Reset`,
      post: ({ body }) => {
        if (textAt(body, 'ResetType') === undefined)
          throw new Refusal(400, 'ActionParameterMissing', ['Manager.Reset', 'ResetType'])
        state.sessions.clear()
        return done
      },
    },
    { path: `${path}/LogServices`, get: () => collection('LogServiceCollection', 'Logs', [`${path}/LogServices/Log`]) },
    {
      path: `${path}/LogServices/Log`,
      get: () => ({
        '@odata.type': '#LogService.v1_3_0.LogService',
        Id: 'Log',
        Name: 'Log',
        LogEntryType: 'Event',
        Entries: ref(entries),
        Actions: { '#LogService.ClearLog': { target: `${path}/LogServices/Log/Actions/LogService.ClearLog` } },
      }),
    },
    {
      path: `${path}/LogServices/Log/Actions/LogService.ClearLog`,
      post: () => {
        log.length = 0
        return done
      },
    },
    {
      path: entries,
      get: () =>
        collection(
          'LogEntryCollection',
          'Entries',
          log.map(({ id }) => `${entries}/${id}`),
        ),
    },
    {
      path: `${entries}/:id`,
      get: ({ at }) => {
        const entry = log.find(({ id }) => id === at['id'])
        if (!entry) throw new Refusal(404, 'ResourceMissingAtURI', [at['id'] ?? ''])
        return {
          '@odata.type': '#LogEntry.v1_13_0.LogEntry',
          Id: entry.id,
          Name: 'Entry',
          EntryType: 'Event',
          Severity: entry.severity ?? 'OK',
          Created: entry.at,
          ...(entry.text === undefined ? {} : { Message: entry.text }),
          ...(entry.messageId === undefined ? {} : { MessageId: entry.messageId, MessageArgs: entry.args ?? [] }),
        }
      },
    },
  ]
}
