import type { Vector } from '../../testing/vector.ts'

const system = '/redfish/v1/Systems/Bluefield'

/** BlueField 3: the settings resource takes what the system itself refuses. */
export const nvidia: Vector = {
  quirk: 'nvidia',
  resources: {
    '/redfish/v1/': { RedfishVersion: '1.8.0', Vendor: 'NVIDIA', Systems: { '@odata.id': '/redfish/v1/Systems' } },
    '/redfish/v1/Systems': { Members: [{ '@odata.id': system }] },
    [system]: {
      Manufacturer: 'https://www.mellanox.com',
      '@Redfish.Settings': { SettingsObject: { '@odata.id': `${system}/Settings` } },
      PowerState: 'On',
      Boot: { BootSourceOverrideEnabled: 'Disabled', BootSourceOverrideTarget: 'None', BootSourceOverrideMode: 'UEFI' },
    },
    [`${system}/Settings`]: { '@odata.etag': '"s1"', Boot: {} },
  },
  story: [
    {
      does: { boot: { target: 'UefiHttp', enabled: 'Once', uri: 'http://10.0.0.1/boot.iso' } },
      writes: [
        {
          method: 'PATCH',
          path: `${system}/Settings`,
          ifMatch: '"s1"',
          body: {
            Boot: {
              BootSourceOverrideTarget: 'UefiHttp',
              BootSourceOverrideEnabled: 'Once',
              HttpBootUri: 'http://10.0.0.1/boot.iso',
            },
          },
        },
      ],
    },
  ],
}
