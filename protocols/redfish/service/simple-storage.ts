import { collection, type Route } from './route.ts'
import { type State, systemPath } from './state.ts'

/** Drives as BMCs without Storage tell them. */
export function simpleStorageRoutes(state: State): Route[] {
  const path = `${systemPath(state)}/SimpleStorage`
  return [
    { path, get: () => collection('SimpleStorageCollection', 'Simple storage', [`${path}/1`]) },
    {
      path: `${path}/1`,
      get: () => ({
        '@odata.type': '#SimpleStorage.v1_3_1.SimpleStorage',
        Id: '1',
        Name: 'Simple storage',
        Devices: state.machine.facts.drives.map(({ id, model, capacityBytes }) => ({
          Name: id,
          Manufacturer: 'Simulated',
          Model: model ?? 'Simulated drive',
          CapacityBytes: capacityBytes,
          Status: { State: 'Enabled', Health: 'OK' },
        })),
      }),
    },
  ]
}
