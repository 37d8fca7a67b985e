import type { Vector } from '../../testing/vector.ts'

const system = '/redfish/v1/Systems/Self'

/** MegaRAC SP-X: the whole triple, though two of three are so already. */
export const ami: Vector = {
  quirk: 'ami',
  resources: {
    '/redfish/v1/': { RedfishVersion: '1.8.0', Vendor: 'AMI', Systems: { '@odata.id': '/redfish/v1/Systems' } },
    '/redfish/v1/Systems': { Members: [{ '@odata.id': system }] },
    [system]: {
      Manufacturer: 'redfish_compatible',
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
          body: {
            Boot: {
              BootSourceOverrideTarget: 'Pxe',
              BootSourceOverrideEnabled: 'Once',
              BootSourceOverrideMode: 'UEFI',
            },
          },
        },
      ],
    },
  ],
}
