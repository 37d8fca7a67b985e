import type { Vector } from '../../testing/vector.ts'

const system = '/redfish/v1/Systems/92ddb7de'

/** Emulated over libvirt: no mode, for the machine may run. */
export const sushyTools: Vector = {
  quirk: 'sushy-tools',
  resources: {
    '/redfish/v1/': { RedfishVersion: '1.8.0', Systems: { '@odata.id': '/redfish/v1/Systems' } },
    '/redfish/v1/Systems': { Members: [{ '@odata.id': system }] },
    [system]: {
      Manufacturer: 'Sushy Emulator',
      PowerState: 'On',
      Boot: {
        BootSourceOverrideEnabled: 'Continuous',
        BootSourceOverrideTarget: 'Hdd',
        BootSourceOverrideMode: 'Legacy',
      },
    },
  },
  story: [
    {
      does: { boot: { target: 'Pxe', enabled: 'Continuous', mode: 'UEFI' } },
      writes: [{ method: 'PATCH', path: system, body: { Boot: { BootSourceOverrideTarget: 'Pxe' } } }],
    },
  ],
}
