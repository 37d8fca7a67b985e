import type { Vector } from '../../testing/vector.ts'

const system = '/redfish/v1/Systems/Self'

/** A weak ETag is told and refused; its strong form is taken. */
export const asrockrack: Vector = {
  quirk: 'asrockrack',
  resources: {
    '/redfish/v1/': {
      RedfishVersion: '1.8.0',
      Product: 'AMI Redfish Server',
      Oem: { Ami: {} },
      Systems: { '@odata.id': '/redfish/v1/Systems' },
    },
    '/redfish/v1/Systems': { Members: [{ '@odata.id': system }] },
    [system]: {
      '@odata.etag': 'W/"1699000000"',
      Manufacturer: 'ASRockRack',
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
          ifMatch: 'W/"1699000000"',
          status: 412,
          says: 'Base.1.10.PreconditionFailed',
          body: {
            Boot: {
              BootSourceOverrideTarget: 'Pxe',
              BootSourceOverrideEnabled: 'Once',
              BootSourceOverrideMode: 'UEFI',
            },
          },
        },
        {
          method: 'PATCH',
          path: system,
          ifMatch: '"1699000000"',
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
