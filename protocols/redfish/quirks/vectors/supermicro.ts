import type { Vector } from '../../testing/vector.ts'

const system = '/redfish/v1/Systems/1'

/** X11 to X13: Enabled goes with every change of the target. */
export const supermicro: Vector = {
  quirk: 'supermicro',
  resources: {
    '/redfish/v1/': { RedfishVersion: '1.8.0', Systems: { '@odata.id': '/redfish/v1/Systems' } },
    '/redfish/v1/Systems': { Members: [{ '@odata.id': system }] },
    [system]: {
      Manufacturer: 'Supermicro',
      PowerState: 'On',
      Boot: { BootSourceOverrideEnabled: 'Once', BootSourceOverrideTarget: 'Hdd', BootSourceOverrideMode: 'UEFI' },
    },
  },
  story: [
    {
      does: { boot: { target: 'Pxe', enabled: 'Once' } },
      writes: [
        {
          method: 'PATCH',
          path: system,
          body: { Boot: { BootSourceOverrideTarget: 'Pxe', BootSourceOverrideEnabled: 'Once' } },
        },
      ],
    },
  ],
}
