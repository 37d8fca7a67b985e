import type { Vector } from '../../testing/vector.ts'

const system = '/redfish/v1/Systems/System.Embedded.1'
const settings = `${system}/Bios/Settings`
const reset = `${system}/Actions/ComputerSystem.Reset`

/** iDRAC 9, firmware 6.x. */
export const dell: Vector = {
  quirk: 'dell',
  resources: {
    '/redfish/v1/': {
      RedfishVersion: '1.17.0',
      Vendor: 'Dell',
      Oem: { Dell: {} },
      Systems: { '@odata.id': '/redfish/v1/Systems' },
    },
    '/redfish/v1/Systems': { Members: [{ '@odata.id': system }] },
    [system]: {
      Manufacturer: 'Dell Inc.',
      Model: 'PowerEdge R650',
      PowerState: 'Off',
      Bios: { '@odata.id': `${system}/Bios` },
      Boot: { BootSourceOverrideEnabled: 'Disabled', BootSourceOverrideMode: 'UEFI', BootSourceOverrideTarget: 'None' },
      Actions: {
        '#ComputerSystem.Reset': {
          target: reset,
          'ResetType@Redfish.AllowableValues': [
            'On',
            'ForceOff',
            'ForceRestart',
            'GracefulShutdown',
            'PushPowerButton',
            'Nmi',
          ],
        },
      },
    },
    [`${system}/Bios`]: {
      Attributes: { BootMode: 'Uefi' },
      '@Redfish.Settings': { SettingsObject: { '@odata.id': settings }, SupportedApplyTimes: ['OnReset'] },
    },
    [settings]: { Attributes: {} },
  },
  story: [
    {
      does: { power: 'on' },
      writes: [
        {
          method: 'POST',
          path: reset,
          body: { ResetType: 'On' },
          status: 409,
          says: 'Base.1.12.ActionParameterValueConflict',
        },
        {
          method: 'POST',
          path: reset,
          body: { ResetType: 'On' },
          status: 409,
          says: 'Base.1.12.ActionParameterValueConflict',
        },
        { method: 'POST', path: reset, body: { ResetType: 'On' } },
      ],
    },
    {
      does: { boot: { target: 'Pxe', enabled: 'Once', mode: 'Legacy' } },
      writes: [
        {
          method: 'PATCH',
          path: system,
          body: { Boot: { BootSourceOverrideTarget: 'Pxe', BootSourceOverrideEnabled: 'Once' } },
        },
      ],
    },
    {
      does: { bootMode: 'Legacy' },
      writes: [
        {
          method: 'PATCH',
          path: settings,
          body: { Attributes: { BootMode: 'Bios' }, '@Redfish.SettingsApplyTime': { ApplyTime: 'OnReset' } },
        },
      ],
    },
  ],
}
