import { collection, ref, type Route } from './route.ts'
import { type State, systemPath } from './state.ts'

const ok = { Status: { State: 'Enabled', Health: 'OK' } } as const

/** Processors and network interfaces, as the machine's facts have them. */
export function hardwareRoutes(state: State): Route[] {
  const path = systemPath(state)
  const { processors = 1, nics } = state.machine.facts
  const cpus = Array.from({ length: processors }, (_, index) => `${path}/Processors/CPU${index + 1}`)
  const ports = nics.map((nic) => ({ nic, at: `${path}/EthernetInterfaces/${nic.mac.replaceAll(':', '')}` }))
  return [
    { path: `${path}/Processors`, get: () => collection('ProcessorCollection', 'Processors', cpus) },
    ...cpus.map((cpu): Route => ({
      path: `${cpu}/SubProcessors`,
      get: () => collection('ProcessorCollection', 'Cores', []),
    })),
    ...cpus.map((cpu, index): Route => ({
      path: cpu,
      get: () => ({
        '@odata.type': '#Processor.v1_14_0.Processor',
        Id: `CPU${index + 1}`,
        Name: 'Processor',
        Socket: `CPU ${index + 1}`,
        ProcessorType: 'CPU',
        ProcessorArchitecture: 'x86',
        InstructionSet: 'x86-64',
        Manufacturer: 'Simulated',
        Model: 'Simulated CPU',
        MaxSpeedMHz: 2000,
        TotalCores: 4,
        TotalThreads: 8,
        ProcessorId: { VendorId: 'Simulated', EffectiveFamily: '0x6', Step: '0x1' },
        SubProcessors: ref(`${cpu}/SubProcessors`),
        ...ok,
      }),
    })),
    {
      path: `${path}/EthernetInterfaces`,
      get: () =>
        collection(
          'EthernetInterfaceCollection',
          'Ethernet Interfaces',
          ports.map(({ at }) => at),
        ),
    },
    ...ports.map(({ nic, at }): Route => ({
      path: at,
      get: () => ({
        '@odata.type': '#EthernetInterface.v1_6_2.EthernetInterface',
        Id: at.split('/').at(-1),
        Name: 'Ethernet Interface',
        Description: 'Ethernet Interface',
        MACAddress: nic.mac,
        PermanentMACAddress: nic.mac,
        SpeedMbps: nic.speedMbps ?? 10_000,
        LinkStatus: 'LinkUp',
        ...ok,
      }),
    })),
  ]
}
