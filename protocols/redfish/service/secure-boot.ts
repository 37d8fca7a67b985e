import { booleanAt, textAt } from '../json.ts'
import { Refusal } from './machine.ts'
import { done, type Route } from './route.ts'
import { type State, systemPath } from './state.ts'

const modes: Readonly<Record<string, string>> = {
  ResetAllKeysToDefault: 'UserMode',
  DeleteAllKeys: 'SetupMode',
  DeletePK: 'SetupMode',
}

export function secureBootRoutes(state: State): Route[] {
  const path = `${systemPath(state)}/SecureBoot`
  const { secureBoot } = state
  return [
    {
      path,
      get: () => ({
        '@odata.type': '#SecureBoot.v1_1_0.SecureBoot',
        Id: 'SecureBoot',
        Name: 'UEFI Secure Boot',
        SecureBootEnable: secureBoot.enabled,
        SecureBootCurrentBoot: secureBoot.current ? 'Enabled' : 'Disabled',
        SecureBootMode: secureBoot.mode,
        Actions: {
          '#SecureBoot.ResetKeys': {
            target: `${path}/Actions/SecureBoot.ResetKeys`,
            'ResetKeysType@Redfish.AllowableValues': Object.keys(modes),
          },
        },
      }),
      patch: ({ body }) => {
        const enabled = booleanAt(body, 'SecureBootEnable')
        if (enabled === undefined) throw new Refusal(400, 'PropertyMissing', ['SecureBootEnable'])
        secureBoot.enabled = enabled
      },
    },
    {
      path: `${path}/Actions/SecureBoot.ResetKeys`,
      post: ({ body }) => {
        const type = textAt(body, 'ResetKeysType') ?? ''
        const mode = Object.hasOwn(modes, type) ? modes[type] : undefined
        if (mode === undefined) throw new Refusal(400, 'ActionParameterValueNotInList', [type, 'ResetKeysType'])
        secureBoot.mode = mode
        return done
      },
    },
  ]
}
