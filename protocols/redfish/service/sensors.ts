import { collection, type Route } from './route.ts'
import { chassisPath, type State } from './state.ts'

/** The collection that took the place of Thermal and Power in 2020.4. */
export function sensorRoutes(state: State): Route[] {
  if (!state.dialect.sensors) return []
  const path = `${chassisPath}/Sensors`
  const rows = [
    { id: 'Inlet', type: 'Temperature', units: 'Cel', read: async () => 21 },
    { id: 'Fan_1', type: 'Rotational', units: 'RPM', read: async () => 4200 },
    {
      id: 'Server',
      type: 'Power',
      units: 'W',
      read: async () => ((await state.machine.power()) === 'On' ? 180 : 9),
    },
  ] as const
  return [
    {
      path,
      get: () =>
        collection(
          'SensorCollection',
          'Sensors',
          rows.map(({ id }) => `${path}/${id}`),
        ),
    },
    ...rows.map(({ id, type, units, read }): Route => ({
      path: `${path}/${id}`,
      get: async () => ({
        '@odata.type': '#Sensor.v1_7_0.Sensor',
        Id: id,
        Name: id.replace('_', ' '),
        Reading: await read(),
        ReadingType: type,
        ReadingUnits: units,
        Status: { State: 'Enabled', Health: 'OK' },
      }),
    })),
  ]
}
