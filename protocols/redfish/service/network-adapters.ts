import type { JsonObject } from '../json.ts'
import { collection, ref, type Route } from './route.ts'
import { chassisPath, type State } from './state.ts'

const ok = { State: 'Enabled', Health: 'OK' } as const

/** One card with all of the machine's ports, and a function for each. */
export function networkAdapterRoutes(state: State): Route[] {
  const { nics } = state.machine.facts
  const all = `${chassisPath}/NetworkAdapters`
  const path = `${all}/1`
  const one = (at: string, view: JsonObject): Route => ({ path: at, get: () => view })
  const list = (name: string) => nics.map((_, index) => `${path}/${name}/${index + 1}`)
  return [
    { path: all, get: () => collection('NetworkAdapterCollection', 'Network adapters', [path]) },
    one(path, {
      '@odata.type': '#NetworkAdapter.v1_9_0.NetworkAdapter',
      Id: '1',
      Name: 'Network adapter',
      Description: 'Network adapter',
      Manufacturer: 'Simulated',
      Model: 'Simulated card',
      PartNumber: 'P-1',
      SerialNumber: 'S-1',
      Status: ok,
      Controllers: [{ FirmwarePackageVersion: state.firmware.get('NIC')?.version ?? '1.0.0' }],
      NetworkPorts: ref(`${path}/NetworkPorts`),
      NetworkDeviceFunctions: ref(`${path}/NetworkDeviceFunctions`),
    }),
    { path: `${path}/NetworkPorts`, get: () => collection('NetworkPortCollection', 'Ports', list('NetworkPorts')) },
    {
      path: `${path}/NetworkDeviceFunctions`,
      get: () => collection('NetworkDeviceFunctionCollection', 'Functions', list('NetworkDeviceFunctions')),
    },
    ...nics.flatMap(({ mac, speedMbps = 10_000 }, index) => [
      one(`${path}/NetworkPorts/${index + 1}`, {
        '@odata.type': '#NetworkPort.v1_4_1.NetworkPort',
        Id: String(index + 1),
        Name: 'Port',
        Description: 'Port',
        PhysicalPortNumber: String(index + 1),
        AssociatedNetworkAddresses: [mac],
        CurrentLinkSpeedMbps: speedMbps,
        FlowControlConfiguration: 'None',
        FlowControlStatus: 'None',
        LinkStatus: 'Up',
        Status: ok,
      }),
      one(`${path}/NetworkDeviceFunctions/${index + 1}`, {
        '@odata.type': '#NetworkDeviceFunction.v1_8_0.NetworkDeviceFunction',
        Id: String(index + 1),
        Name: 'Function',
        Description: 'Function',
        NetDevFuncType: 'Ethernet',
        NetDevFuncCapabilities: ['Ethernet'],
        MaxVirtualFunctions: 8,
        Ethernet: { MACAddress: mac, PermanentMACAddress: mac, MTUSize: 1500 },
        iSCSIBoot: { InitiatorName: 'iqn.2026-01.example:host-1', IPAddressType: 'IPv4' },
        FibreChannel: { WWNN: '20:00:00:00:00:00:00:01' },
        AssignablePhysicalPorts: [ref(`${path}/NetworkPorts/${index + 1}`)],
        Status: ok,
      }),
    ]),
  ]
}
