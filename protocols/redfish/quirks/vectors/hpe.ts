import type { Vector } from '../../testing/vector.ts'

const system = '/redfish/v1/Systems/1/'
const slot = '/redfish/v1/Managers/1/VirtualMedia/2/'
const insert = `${slot}Actions/Oem/Hp/HpiLOVirtualMedia.InsertVirtualMedia/`
const eject = `${slot}Actions/Oem/Hp/HpiLOVirtualMedia.EjectVirtualMedia/`
const image = 'http://10.0.0.1/boot.iso'

/** iLO 4, firmware 2.8x: media by actions of its own, settings locked while the machine is in POST. */
export const hpe: Vector = {
  quirk: 'hpe',
  resources: {
    '/redfish/v1/': { RedfishVersion: '1.0.0', Oem: { Hp: {} }, Systems: { '@odata.id': '/redfish/v1/Systems/' } },
    '/redfish/v1/Systems/': { Members: [{ '@odata.id': system }] },
    [system]: {
      Manufacturer: 'HPE',
      PowerState: 'On',
      Boot: { BootSourceOverrideEnabled: 'Once', BootSourceOverrideTarget: 'None' },
      Links: { ManagedBy: [{ '@odata.id': '/redfish/v1/Managers/1/' }] },
    },
    '/redfish/v1/Managers/1/': { VirtualMedia: { '@odata.id': '/redfish/v1/Managers/1/VirtualMedia/' } },
    '/redfish/v1/Managers/1/VirtualMedia/': { Members: [{ '@odata.id': slot }] },
    [slot]: {
      Id: '2',
      MediaTypes: ['CD', 'DVD'],
      Inserted: true,
      Image: 'http://10.0.0.1/old.iso',
      Oem: {
        Hp: {
          Actions: {
            '#HpiLOVirtualMedia.InsertVirtualMedia': { target: insert },
            '#HpiLOVirtualMedia.EjectVirtualMedia': { target: eject },
          },
        },
      },
    },
  },
  story: [
    {
      does: { boot: { target: 'Pxe', enabled: 'Once' } },
      writes: [
        {
          method: 'PATCH',
          path: system,
          body: { Boot: { BootSourceOverrideTarget: 'Pxe' } },
          status: 400,
          says: 'iLO.2.8.UnableToModifyDuringSystemPOST',
        },
        { method: 'PATCH', path: system, body: { Boot: { BootSourceOverrideTarget: 'Pxe' } } },
      ],
    },
    {
      does: { insert: { type: 'CD', image } },
      writes: [
        { method: 'POST', path: eject, body: {}, changes: { [slot]: { Inserted: false, Image: null } } },
        { method: 'POST', path: insert, body: { Image: image }, changes: { [slot]: { Inserted: true, Image: image } } },
      ],
    },
  ],
}
