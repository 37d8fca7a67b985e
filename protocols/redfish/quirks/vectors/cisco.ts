import type { Vector } from '../../testing/vector.ts'

const system = '/redfish/v1/Systems/1'
const media = '/redfish/v1/Managers/1/VirtualMedia'
const image = 'http://10.0.0.1/boot.iso'

/** CIMC 4.x: DVD for CD, and the slot of the viewer refuses. */
export const cisco: Vector = {
  quirk: 'cisco',
  resources: {
    '/redfish/v1/': {
      RedfishVersion: '1.8.0',
      Vendor: 'Cisco Systems Inc',
      Systems: { '@odata.id': '/redfish/v1/Systems' },
    },
    '/redfish/v1/Systems': { Members: [{ '@odata.id': system }] },
    [system]: {
      Manufacturer: 'Cisco Systems Inc',
      PowerState: 'On',
      Links: { ManagedBy: [{ '@odata.id': '/redfish/v1/Managers/1' }] },
    },
    '/redfish/v1/Managers/1': { VirtualMedia: { '@odata.id': media } },
    [media]: { Members: [{ '@odata.id': `${media}/0` }, { '@odata.id': `${media}/1` }] },
    [`${media}/0`]: {
      Id: '0',
      Actions: { '#VirtualMedia.InsertMedia': { target: `${media}/0/Actions/VirtualMedia.InsertMedia` } },
      MediaTypes: ['DVD'],
      Inserted: false,
    },
    [`${media}/1`]: {
      Id: '1',
      Actions: { '#VirtualMedia.InsertMedia': { target: `${media}/1/Actions/VirtualMedia.InsertMedia` } },
      MediaTypes: ['DVD'],
      Inserted: false,
    },
  },
  story: [
    {
      does: { insert: { type: 'CD', image } },
      writes: [
        {
          method: 'POST',
          path: `${media}/0/Actions/VirtualMedia.InsertMedia`,
          body: { Image: image, Inserted: true, WriteProtected: true },
          status: 400,
          says: 'Base.1.4.GeneralError',
        },
        {
          method: 'POST',
          path: `${media}/1/Actions/VirtualMedia.InsertMedia`,
          body: { Image: image, Inserted: true, WriteProtected: true },
        },
      ],
    },
  ],
}
