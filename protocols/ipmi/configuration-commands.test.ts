import { WireError } from '@bloomery/wire/error.ts'
import { expect, test } from 'vitest'
import * as channel from './channel-commands.ts'
import * as chassis from './chassis-commands.ts'
import { decodeWith, encodeWith } from './command.ts'
import * as dcmi from './dcmi-commands.ts'
import * as log from './event-log-commands.ts'
import type { Codec } from './fields.ts'
import { getLanParameter, setLanParameter } from './lan-commands.ts'
import * as lan from './lan-parameters.ts'
import * as sensor from './sensor-commands.ts'
import { hex } from './testing/capture.ts'
import { wireRow as row, type WireRow } from './testing/wire-row.ts'
import * as user from './user-commands.ts'
import * as watchdog from './watchdog-commands.ts'

const group = dcmi.DCMI
const none = {
  lowerNonCritical: false,
  lowerCritical: false,
  lowerNonRecoverable: false,
  upperNonCritical: false,
  upperCritical: false,
  upperNonRecoverable: false,
}
const limits = { action: 1, watts: 300, correctionMs: 1000, spare: hex('0000'), periodSeconds: 10 }

const rows: WireRow[] = [
  row(
    'Set User Access',
    user.setUserAccess.request,
    {
      channel: { number: 1, messaging: true, linkAuthentication: false, callbackOnly: false, change: true },
      user: { id: 3 },
      limit: { privilege: 4 },
      sessions: undefined,
    },
    '91 03 04',
  ),
  row(
    'Get User Access',
    user.getUserAccess.response,
    {
      users: { most: 15 },
      enabled: { count: 2, status: 1 },
      fixed: { count: 1 },
      access: { privilege: 4, messaging: true, linkAuthentication: true, callbackOnly: false },
    },
    '0f 42 01 34',
  ),
  row('a user name', user.setUserName.request, { user: { id: 2 }, name: 'root' }, `02 726f6f74${'00'.repeat(12)}`),
  row(
    'a name of 16 bytes',
    user.getUserName.response,
    { name: 'sixteen-bytes-nm' },
    '7369787465656e2d62797465732d6e6d',
  ),
  row(
    'setting a password of 20 bytes',
    user.setUserPassword.request,
    { user: { id: 2, long: true }, operation: { what: 2 }, password: hex('41'.repeat(20)) },
    `82 02 ${'41'.repeat(20)}`,
  ),
  row(
    'Get Channel Info',
    channel.getChannelInfo.response,
    {
      channel: { number: 1 },
      medium: { type: 4 },
      protocol: { type: 1 },
      sessions: { active: 3, support: 2 },
      vendor: 7154,
      auxiliary: hex('0000'),
    },
    '01 04 01 83 f21b00 0000',
  ),
  row(
    'Set Channel Access',
    channel.setChannelAccess.request,
    {
      channel: { number: 1 },
      access: { mode: 2, userLevelOff: false, perMessageOff: true, alertingOff: false, copy: 1 },
      limit: { privilege: 4, copy: 2 },
    },
    '01 52 84',
  ),
  row(
    'Set LAN Configuration Parameters',
    setLanParameter.request,
    { channel: { number: 1 }, selector: 3, data: hex('0a010203') },
    '01 03 0a010203',
  ),
  row(
    'Get LAN Configuration Parameters',
    getLanParameter.request,
    { channel: { number: 14, revisionOnly: true }, selector: 3, set: 1, block: 2 },
    '8e 03 01 02',
  ),
  row('an IP address', lan.address.data, '10.1.2.3', '0a010203'),
  row('an address by DHCP', lan.addressSource.data, { source: { from: 2 } }, '02'),
  row('a MAC address', lan.macAddress.data, '52:54:00:0a:0b:0c', '5254000a0b0c'),
  row('VLAN 100', lan.vlan.data, { id: 100, tagged: true }, '64 80'),
  row('no VLAN', lan.vlan.data, { id: 100, tagged: false }, '64 00'),
  row('a community', lan.community.data, 'public', `7075626c6963${'00'.repeat(12)}`),
  row(
    'a threshold of bad passwords',
    lan.badPasswordThreshold.data,
    { report: { toUser: true }, threshold: 3, forgetAfter: 6, lockedFor: 30 },
    '01 03 0600 1e00',
  ),
  row(
    'Set Watchdog Timer: a minute for the system, then a reset',
    watchdog.setWatchdog.request,
    {
      use: { purpose: 4, running: false, silent: true },
      actions: { onTimeout: 1, interrupt: 0 },
      interruptBefore: 0,
      expired: 0x10,
      initial: 600,
    },
    '84 01 00 10 5802',
  ),
  row('DCMI capabilities', dcmi.getDcmiCapabilities.request, { group, selector: 1 }, 'dc 01'),
  row(
    'a power limit',
    dcmi.getPowerLimit.response,
    { group, reserved: hex('0000'), ...limits },
    'dc 0000 01 2c01 e8030000 0000 0a00',
  ),
  row(
    'setting a power limit',
    dcmi.setPowerLimit.request,
    { group, reserved: hex('000000'), ...limits },
    'dc 000000 01 2c01 e8030000 0000 0a00',
  ),
  row(
    'activating it',
    dcmi.activatePowerLimit.request,
    { group, activate: { active: true }, reserved: hex('0000') },
    'dc 01 0000',
  ),
  row(
    'a part of an asset tag',
    dcmi.setAssetTag.request,
    { group, offset: 16, count: 2, data: hex('4142') },
    'dc 10 02 4142',
  ),
  row(
    'identifying for as long as it takes',
    chassis.chassisIdentify.request,
    { seconds: 0, force: { on: true } },
    '00 01',
  ),
  row('identifying', chassis.chassisIdentify.request, { seconds: undefined, force: undefined }, ''),
  row('a restore policy', chassis.setPowerRestorePolicy.request, { policy: { after: 2 } }, '02'),
  row('a restart cause', chassis.getRestartCause.response, { cause: { by: 4 }, channel: 1 }, '04 01'),
  row('power-on hours', chassis.getPowerOnHours.response, { minutesPerCount: 60, count: 1234 }, '3c d2040000'),
  row('an hour west of Greenwich', log.setSelTimeOffset.request, { minutes: -60 }, 'c4ff'),
  row('an offset that nobody knows', log.getSelTimeOffset.response, { minutes: log.UNKNOWN_OFFSET }, 'ff7f'),
  row('Delete SEL Entry', log.deleteSelEntry.request, { reservation: 0x1234, record: 2 }, '3412 0200'),
  row(
    'an upper critical threshold',
    sensor.setSensorThresholds.request,
    {
      number: 7,
      change: { ...none, upperCritical: true },
      lowerNonCritical: 0,
      lowerCritical: 0,
      lowerNonRecoverable: 0,
      upperNonCritical: 0,
      upperCritical: 130,
      upperNonRecoverable: 0,
    },
    '07 10 00 00 00 00 82 00',
  ),
  row(
    'hysteresis',
    sensor.setSensorHysteresis.request,
    { number: 7, mask: 255, positive: 2, negative: 1 },
    '07 ff 02 01',
  ),
  row(
    'enabling an event',
    sensor.setSensorEvents.request,
    { number: 7, flags: { change: 1, scanning: true, events: true }, assertions: 0x200, deassertions: undefined },
    '07 d0 0002',
  ),
]

test.each(rows)('$name is written and read', ({ codec, value, wire }) => {
  expect(encodeWith(codec, value)).toEqual(hex(wire))
  expect(decodeWith(codec, hex(wire))).toEqual(value)
})

test.each([
  ['a user access without its last byte', user.getUserAccess.response, '0f 42 01'],
  ['a name of 15 bytes', user.getUserName.response, '00'.repeat(15)],
  ['three bytes of an address', lan.address.data, '0a0102'],
  ['VLAN 0, switched on', lan.vlan.data, '00 80'],
  ['VLAN 4095', lan.vlan.data, 'ff 8f'],
  ['a power limit of another group', dcmi.getPowerLimit.response, '00 0000 01 2c01 e8030000 0000 0a00'],
  ['a watchdog without its initial count', watchdog.getWatchdog.response, '84 01 00 10'],
])('%s is a WireError', (_name, codec: Codec<unknown>, wire) => {
  expect(() => decodeWith(codec, hex(wire))).toThrow(WireError)
})

test.each([
  ['a name of 17 bytes', user.setUserName.request, { user: { id: 2 }, name: 'x'.repeat(17) }],
  ['an address that is none', lan.address.data, '10.1.2'],
  ['a MAC address that is none', lan.macAddress.data, '52:54:00'],
  ['VLAN 4095', lan.vlan.data, { id: 4095, tagged: true }],
])('%s is refused before it is sent', (_name, codec, value) => {
  expect(() => encodeWith(codec as Codec<unknown>, value)).toThrow(RangeError)
})
