import { WireError } from '@bloomery/wire/error.ts'
import { expect, test } from 'vitest'
import * as parameters from './boot-parameters.ts'
import { decodeWith, encodeWith } from './command.ts'
import * as commands from './commands.ts'
import type { Codec } from './fields.ts'
import { hex } from './testing/capture.ts'
import { wireRow as row, type WireRow } from './testing/wire-row.ts'

const rows: WireRow[] = [
  row(
    "ipmi_sim's Get Device ID response",
    commands.getDeviceId.response,
    {
      deviceId: 0,
      revision: { deviceRevision: 3, deviceSdrs: false },
      firmware: { major: 9, updating: false },
      firmwareMinor: 8,
      ipmiVersion: 2,
      support: {
        sensor: true,
        sdr: true,
        sel: true,
        fru: true,
        eventReceiver: true,
        eventGenerator: false,
        bridge: false,
        chassis: true,
      },
      manufacturer: 0x1291,
      product: 0x0f02,
      auxiliaryFirmware: hex('00000000'),
    },
    '00 03 09 08 02 9f 911200 020f 00000000',
  ),
  row(
    'Get Channel Authentication Capabilities',
    commands.getChannelAuthCapabilities.request,
    { channel: { number: 14, extended: true }, privilege: 4 },
    '8e 04',
  ),
  row(
    "ipmi_sim's authentication capabilities",
    commands.getChannelAuthCapabilities.response,
    {
      channel: 1,
      types: { none: true, md2: true, md5: true, straight: true, oem: false, extended: true },
      logins: {
        anonymous: false,
        nullUsers: true,
        namedUsers: true,
        userLevelOff: false,
        perMessageOff: false,
        kgSet: false,
      },
      extended: { ipmi15: true, ipmi20: true },
      oem: 0,
      oemAuxiliary: 0,
    },
    '01 97 06 03 000000 00',
  ),
  row(
    'Get Channel Cipher Suites',
    commands.getChannelCipherSuites.request,
    { channel: 14, payloadType: 0, list: { index: 2, bySuite: true } },
    '0e 00 82',
  ),
  row('Set Session Privilege Level', commands.setSessionPrivilege.request, { level: 4 }, '04'),
  row('Close Session', commands.closeSession.request, { sessionId: 0x8e82 }, '828e0000'),
  row(
    'a chassis status without the front panel byte',
    commands.getChassisStatus.response,
    {
      power: { on: true, overload: false, interlock: false, fault: false, controlFault: false, restorePolicy: 2 },
      lastEvent: { acFailed: false, overload: false, interlock: false, fault: false, onByCommand: true },
      misc: {
        intrusion: false,
        frontPanelLockout: false,
        driveFault: false,
        coolingFault: true,
        identify: 1,
        canIdentify: true,
      },
      frontPanel: undefined,
    },
    '41 10 58',
  ),
  row('Chassis Control: soft off', commands.chassisControl.request, { action: 'soft' }, '05'),
  row(
    'Set System Boot Options',
    commands.setSystemBootOptions.request,
    { parameter: { selector: 5, locked: false }, data: hex('e004000000') },
    '05 e004000000',
  ),
  row(
    'Get System Boot Options',
    commands.getSystemBootOptions.response,
    { version: 1, parameter: { selector: 5, locked: true }, data: hex('0004000000') },
    '01 85 0004000000',
  ),
  row(
    'keeping a boot choice beyond 60 s',
    parameters.validBitClearing.data,
    {
      keep: {
        onPowerButton: false,
        onResetButton: false,
        onWatchdog: false,
        withoutControlIn60s: true,
        onPefReset: false,
      },
    },
    '08',
  ),
  row('acknowledging as the BIOS', parameters.bootInitiatorAcknowledge.data, { mask: 1, acknowledged: 1 }, '01 01'),
  row('a service partition', parameters.servicePartitionSelector.data, { partition: 7 }, '07'),
  row(
    'a service partition scan',
    parameters.servicePartitionScan.data,
    { scan: { discovered: false, requested: true } },
    '02',
  ),
  row('committing', parameters.setInProgress.data, { state: { phase: 2 } }, '02'),
  ...(
    [
      ['pxe', false, 'a0 04'],
      ['pxe', true, 'e0 04'],
      ['disk', true, 'e0 08'],
      ['cdrom', true, 'e0 14'],
      ['bios', true, 'e0 18'],
      ['safe', true, 'e0 0c'],
    ] as const
  ).map(([device, persistent, wire]) =>
    row(
      `${device} by UEFI, ${persistent ? 'for good' : 'once'}`,
      parameters.bootFlags.data,
      {
        ...parameters.noBootFlags,
        flags: { uefi: true, persistent, valid: true },
        boot: { ...parameters.noBootFlags.boot, device: parameters.bootDevices[device] },
      },
      `${wire} 00 00 00`,
    ),
  ),
]

test.each(rows)('$name is written and read', ({ codec, value, wire }) => {
  expect(encodeWith(codec, value)).toEqual(hex(wire))
  expect(decodeWith(codec, hex(wire))).toEqual(value)
})

test.each([
  ['a device id without a product', commands.getDeviceId.response, '00 03 09 08 02 9f 911200'],
  ['an empty chassis status', commands.getChassisStatus.response, ''],
  ['an unknown chassis action', commands.chassisControl.request, '06'],
  ['four bytes of boot flags', parameters.bootFlags.data, 'e0 04 00 00'],
  ['an acknowledgement that is only a mask', parameters.bootInitiatorAcknowledge.data, '01'],
])('%s is a WireError', (_name, codec: Codec<unknown>, wire) => {
  expect(() => decodeWith(codec, hex(wire))).toThrow(WireError)
})

test('bytes that a later revision appends are let be', () => {
  expect(decodeWith(commands.setSessionPrivilege.response, hex('04 ff ff'))).toEqual({ level: 4 })
})

test('a value that does not fit its bits is refused, not cut', () => {
  const value = { channel: 1, payloadType: 0, list: { index: 64, bySuite: true } }
  expect(() => encodeWith(commands.getChannelCipherSuites.request, value)).toThrow(RangeError)
})
