import { booleanAt } from '../json.ts'
import { Refusal } from './machine.ts'
import { collection, type Route } from './route.ts'
import { type State, systemPath } from './state.ts'

/** The firmware's own list (DSP2046 BootOption). */
export function bootOptionRoutes(state: State): Route[] {
  const path = `${systemPath(state)}/BootOptions`
  const find = (id: string | undefined) => {
    const found = state.bootOptions.find((each) => each.id === id)
    if (!found) throw new Refusal(404, 'ResourceMissingAtURI', [id ?? ''])
    return found
  }
  return [
    {
      path,
      get: () =>
        collection(
          'BootOptionCollection',
          'Boot options',
          state.bootOptions.map(({ id }) => `${path}/${id}`),
        ),
    },
    {
      path: `${path}/:id`,
      get: ({ at }) => {
        const { id, name, devicePath, enabled } = find(at['id'])
        return {
          '@odata.type': '#BootOption.v1_0_4.BootOption',
          Id: id,
          Name: 'Boot option',
          BootOptionReference: id,
          DisplayName: name,
          UefiDevicePath: devicePath,
          BootOptionEnabled: enabled,
        }
      },
      patch: ({ at, body }) => {
        const enabled = booleanAt(body, 'BootOptionEnabled')
        if (enabled === undefined) throw new Refusal(400, 'PropertyMissing', ['BootOptionEnabled'])
        find(at['id']).enabled = enabled
      },
    },
  ]
}

/** All of them, each once. */
export function checkBootOrder(state: State, order: readonly string[]): void {
  const known = state.bootOptions.map(({ id }) => id)
  if (new Set(order).size !== order.length || order.some((each) => !known.includes(each)))
    throw new Refusal(400, 'PropertyValueNotInList', [order.join(' '), 'BootOrder'])
}
