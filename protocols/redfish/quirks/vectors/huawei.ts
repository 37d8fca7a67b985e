import type { Vector } from '../../testing/vector.ts'

const system = '/redfish/v1/Systems/1'
const media = '/redfish/v1/Managers/1/VirtualMedia'
const image = 'http://10.0.0.1/boot.iso'

/** iBMC: one action to connect and to disconnect. */
export const huawei: Vector = {
  quirk: 'huawei',
  resources: {
    '/redfish/v1/': { RedfishVersion: '1.8.0', Oem: { Huawei: {} }, Systems: { '@odata.id': '/redfish/v1/Systems' } },
    '/redfish/v1/Systems': { Members: [{ '@odata.id': system }] },
    [system]: {
      Manufacturer: 'Huawei',
      PowerState: 'On',
      Links: { ManagedBy: [{ '@odata.id': '/redfish/v1/Managers/1' }] },
    },
    '/redfish/v1/Managers/1': { VirtualMedia: { '@odata.id': media } },
    [media]: { Members: [{ '@odata.id': `${media}/CD` }] },
    [`${media}/CD`]: {
      Id: 'CD',
      MediaTypes: ['CD'],
      Inserted: true,
      Image: 'nfs://10.0.0.9/old.iso',
      Oem: {
        Huawei: {
          Actions: { '#VirtualMedia.VmmControl': { target: `${media}/CD/Oem/Huawei/Actions/VirtualMedia.VmmControl` } },
        },
      },
    },
  },
  story: [
    {
      does: { insert: { type: 'CD', image } },
      writes: [
        {
          method: 'POST',
          path: `${media}/CD/Oem/Huawei/Actions/VirtualMedia.VmmControl`,
          body: { VmmControlType: 'Disconnect' },
          status: 202,
          changes: { [`${media}/CD`]: { Inserted: false, Image: null } },
        },
        {
          method: 'POST',
          path: `${media}/CD/Oem/Huawei/Actions/VirtualMedia.VmmControl`,
          body: { Image: image, VmmControlType: 'Connect' },
          status: 202,
        },
      ],
    },
  ],
}
