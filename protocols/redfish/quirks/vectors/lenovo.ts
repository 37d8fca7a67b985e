import type { Vector } from '../../testing/vector.ts'

const system = '/redfish/v1/Systems/1'
const media = '/redfish/v1/Managers/1/VirtualMedia'
const image = 'http://10.0.0.1/boot.iso'

/** XCC before 2021: the first EXT slot that is free of the viewer, by PATCH, for there is no action. */
export const lenovo: Vector = {
  quirk: 'lenovo',
  resources: {
    '/redfish/v1/': { RedfishVersion: '1.8.0', Oem: { Lenovo: {} }, Systems: { '@odata.id': '/redfish/v1/Systems' } },
    '/redfish/v1/Systems': { Members: [{ '@odata.id': system }] },
    [system]: {
      Manufacturer: 'Lenovo',
      PowerState: 'On',
      Links: { ManagedBy: [{ '@odata.id': '/redfish/v1/Managers/1' }] },
    },
    '/redfish/v1/Managers/1': { VirtualMedia: { '@odata.id': media } },
    [media]: {
      Members: [
        { '@odata.id': `${media}/RDOC1` },
        { '@odata.id': `${media}/Remote1` },
        { '@odata.id': `${media}/EXT1` },
      ],
    },
    [`${media}/RDOC1`]: { Id: 'RDOC1', MediaTypes: ['CD'], Inserted: false, Image: null },
    [`${media}/Remote1`]: { Id: 'Remote1', MediaTypes: ['CD'], Inserted: false, Image: null },
    [`${media}/EXT1`]: { Id: 'EXT1', '@odata.etag': '"e1"', MediaTypes: ['CD', 'DVD'], Inserted: false, Image: null },
  },
  story: [
    {
      does: { insert: { type: 'CD', image } },
      writes: [
        {
          method: 'PATCH',
          path: `${media}/EXT1`,
          ifMatch: '"e1"',
          body: { Image: image, Inserted: true, WriteProtected: true },
        },
      ],
    },
  ],
}
