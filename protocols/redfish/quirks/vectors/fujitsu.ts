import type { Vector } from '../../testing/vector.ts'

const system = '/redfish/v1/Systems/0'
const body = { Boot: { BootSourceOverrideTarget: 'Hdd', BootSourceOverrideEnabled: 'Continuous' } }

/** iRMC S5: every PATCH with If-Match, and the ETag has changed since. */
export const fujitsu: Vector = {
  quirk: 'fujitsu',
  resources: {
    '/redfish/v1/': {
      RedfishVersion: '1.8.0',
      Oem: { ts_fujitsu: {} },
      Systems: { '@odata.id': '/redfish/v1/Systems' },
    },
    '/redfish/v1/Systems': { Members: [{ '@odata.id': system }] },
    [system]: {
      '@odata.etag': '"a1"',
      Manufacturer: 'FUJITSU',
      PowerState: 'On',
      Boot: { BootSourceOverrideEnabled: 'Disabled', BootSourceOverrideTarget: 'None', BootSourceOverrideMode: 'UEFI' },
    },
  },
  story: [
    {
      does: { boot: { target: 'Hdd', enabled: 'Continuous' } },
      writes: [
        {
          method: 'PATCH',
          path: system,
          ifMatch: '"a1"',
          body,
          status: 412,
          says: 'Base.1.2.PreconditionFailed',
          changes: { [system]: { '@odata.etag': '"a2"' } },
        },
        { method: 'PATCH', path: system, ifMatch: '"a2"', body },
      ],
    },
  ],
}
