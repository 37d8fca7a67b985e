import type { Vector } from '../../testing/vector.ts'

const system = '/redfish/v1/Systems/Self'

/** Continuous is asked for, Once is what it can. */
export const gigabyte: Vector = {
  quirk: 'gigabyte',
  resources: {
    '/redfish/v1/': { RedfishVersion: '1.8.0', Vendor: 'AMI', Systems: { '@odata.id': '/redfish/v1/Systems' } },
    '/redfish/v1/Systems': { Members: [{ '@odata.id': system }] },
    [system]: {
      Manufacturer: 'GIGABYTE',
      PowerState: 'On',
      Boot: { BootSourceOverrideEnabled: 'Disabled', BootSourceOverrideTarget: 'None', BootSourceOverrideMode: 'UEFI' },
    },
  },
  story: [
    {
      does: { boot: { target: 'Pxe', enabled: 'Continuous' } },
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
