import type { Vector } from '../../testing/vector.ts'

const system = '/redfish/v1/Systems/1'
const media = '/redfish/v1/Managers/1/VirtualMedia'
const image = 'http://10.0.0.1/boot.iso'

/** ISBMC: the transfer protocol is demanded, and two properties of the standard are unknown. */
export const inspur: Vector = {
  quirk: 'inspur',
  resources: {
    '/redfish/v1/': { RedfishVersion: '1.8.0', Vendor: 'AMI', Systems: { '@odata.id': '/redfish/v1/Systems' } },
    '/redfish/v1/Systems': { Members: [{ '@odata.id': system }] },
    [system]: {
      Manufacturer: 'Inspur',
      PowerState: 'On',
      Links: { ManagedBy: [{ '@odata.id': '/redfish/v1/Managers/1' }] },
    },
    '/redfish/v1/Managers/1': { VirtualMedia: { '@odata.id': media } },
    [media]: { Members: [{ '@odata.id': `${media}/CD1` }] },
    [`${media}/CD1`]: {
      Id: 'CD1',
      Actions: { '#VirtualMedia.InsertMedia': { target: `${media}/CD1/Actions/VirtualMedia.InsertMedia` } },
      MediaTypes: ['CD', 'DVD'],
      Inserted: false,
    },
  },
  story: [
    {
      does: { insert: { type: 'CD', image } },
      writes: [
        {
          method: 'POST',
          path: `${media}/CD1/Actions/VirtualMedia.InsertMedia`,
          body: { Image: image, TransferProtocolType: 'HTTP' },
        },
      ],
    },
  ],
}
