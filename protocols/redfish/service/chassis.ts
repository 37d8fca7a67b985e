import { textAt } from '../json.ts'
import { changeIndicator } from './indicator.ts'
import { Refusal } from './machine.ts'
import { done, ref, type Route } from './route.ts'
import { chassisPath, managerPath, type State, systemPath } from './state.ts'

/** The sheet metal and what is measured in it; the readings are of a machine in its prime. */
export function chassisRoutes(state: State): Route[] {
  const health = { State: 'Enabled', Health: 'OK' }
  const resets = `${chassisPath}/Actions/Chassis.Reset`
  return [
    {
      path: resets,
      post: async ({ body }) => {
        if (textAt(body, 'ResetType') !== 'PowerCycle')
          throw new Refusal(400, 'ActionParameterValueNotInList', [textAt(body, 'ResetType') ?? '', 'ResetType'])
        await state.machine.reset('PowerCycle')
        return done
      },
    },
    {
      path: chassisPath,
      get: async () => ({
        '@odata.type': '#Chassis.v1_18_0.Chassis',
        Id: '1',
        Name: 'Chassis',
        ChassisType: 'RackMount',
        Manufacturer: state.dialect.manufacturer,
        SerialNumber: state.machine.facts.serial ?? state.machine.facts.name,
        PowerState: await state.machine.power(),
        IndicatorLED: state.indicator,
        Status: health,
        AssetTag: 'asset-1',
        Description: 'Chassis',
        Model: 'Simulated chassis',
        PartNumber: 'P-1',
        SKU: 'sku-1',
        UUID: state.machine.facts.uuid,
        HeightMm: 44,
        WidthMm: 482,
        DepthMm: 760,
        WeightKg: 18,
        PhysicalSecurity: { IntrusionSensor: 'Normal', IntrusionSensorNumber: 1, IntrusionSensorReArm: 'Automatic' },
        NetworkAdapters: ref(`${chassisPath}/NetworkAdapters`),
        ...(state.dialect.sensors
          ? { Sensors: ref(`${chassisPath}/Sensors`) }
          : { Thermal: ref(`${chassisPath}/Thermal`), Power: ref(`${chassisPath}/Power`) }),
        Actions: { '#Chassis.Reset': { target: resets, 'ResetType@Redfish.AllowableValues': ['PowerCycle'] } },
        Links: { ComputerSystems: [ref(systemPath(state))], ManagedBy: [ref(managerPath(state))] },
      }),
      patch: ({ body }) => {
        if (!changeIndicator(state, body)) throw new Refusal(400, 'PropertyUnknown', [Object.keys(body).join(' ')])
      },
    },
    {
      path: `${chassisPath}/Thermal`,
      get: () => ({
        '@odata.type': '#Thermal.v1_7_0.Thermal',
        Id: 'Thermal',
        Name: 'Thermal',
        Status: health,
        Temperatures: [
          {
            '@odata.id': `${chassisPath}/Thermal#/Temperatures/0`,
            MemberId: '0',
            Name: 'Inlet',
            ReadingCelsius: state.machine.vitals?.inletCelsius ?? 21,
            UpperThresholdCritical: 45,
            PhysicalContext: 'Intake',
            Status: health,
          },
        ],
        Fans: [
          {
            '@odata.id': `${chassisPath}/Thermal#/Fans/0`,
            MemberId: '0',
            Name: 'Fan 1',
            Reading: 4200,
            ReadingUnits: 'RPM',
            Status: health,
          },
        ],
      }),
    },
    {
      path: `${chassisPath}/Power`,
      get: async () => ({
        '@odata.type': '#Power.v1_7_1.Power',
        Id: 'Power',
        Name: 'Power',
        PowerControl: [
          {
            '@odata.id': `${chassisPath}/Power#/PowerControl/0`,
            MemberId: '0',
            Name: 'Server',
            PowerConsumedWatts: (await state.machine.power()) === 'On' ? 180 : 9,
            Status: health,
          },
        ],
        PowerSupplies: [
          {
            '@odata.id': `${chassisPath}/Power#/PowerSupplies/0`,
            MemberId: '0',
            Name: 'PSU 1',
            PowerSupplyType: 'AC',
            LineInputVoltage: state.machine.vitals?.inputLost ? 0 : 230,
            PowerCapacityWatts: 800,
            Status: state.machine.vitals?.inputLost ? { State: 'UnavailableOffline', Health: 'Critical' } : health,
          },
        ],
      }),
    },
  ]
}
