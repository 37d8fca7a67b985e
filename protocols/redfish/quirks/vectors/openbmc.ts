import type { Vector } from '../../testing/vector.ts'

const system = '/redfish/v1/Systems/1'
const media = '/redfish/v1/Managers/1/VirtualMedia'
const image = 'http://10.0.0.1/boot.iso'

/** bmcweb: the slot of the browser has no InsertMedia and takes no PATCH; the next one streams. */
export const openbmc: Vector = {
  quirk: 'openbmc',
  resources: {
    '/redfish/v1/': { RedfishVersion: '1.8.0', Vendor: 'OpenBMC', Systems: { '@odata.id': '/redfish/v1/Systems' } },
    '/redfish/v1/Systems': { Members: [{ '@odata.id': system }] },
    [system]: {
      Manufacturer: 'OpenBMC',
      PowerState: 'On',
      Links: { ManagedBy: [{ '@odata.id': '/redfish/v1/Managers/1' }] },
    },
    '/redfish/v1/Managers/1': { VirtualMedia: { '@odata.id': media } },
    [media]: { Members: [{ '@odata.id': `${media}/Slot_0` }, { '@odata.id': `${media}/Slot_2` }] },
    [`${media}/Slot_0`]: { Id: 'Slot_0', MediaTypes: ['CD', 'USBStick'], Inserted: false },
    [`${media}/Slot_2`]: {
      Id: 'Slot_2',
      Actions: { '#VirtualMedia.InsertMedia': { target: `${media}/Slot_2/Actions/VirtualMedia.InsertMedia` } },
      MediaTypes: ['CD', 'USBStick'],
      Inserted: false,
    },
  },
  story: [
    {
      does: { insert: { type: 'CD', image } },
      writes: [
        {
          method: 'PATCH',
          path: `${media}/Slot_0`,
          body: { Image: image, Inserted: true, WriteProtected: true, TransferMethod: 'Stream' },
          status: 405,
        },
        {
          method: 'POST',
          path: `${media}/Slot_2/Actions/VirtualMedia.InsertMedia`,
          body: { Image: image, Inserted: true, WriteProtected: true, TransferMethod: 'Stream' },
        },
      ],
    },
  ],
}
