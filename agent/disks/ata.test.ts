import { expect, it } from 'vitest'
import { parseSecurity } from './ata.ts'

const security = (lines: string[]): string =>
  [
    '',
    '/dev/sda:',
    '',
    'Commands/features:',
    '\tEnabled\tSupported:',
    'Security: ',
    ...lines,
    'Logical Unit WWN: 5',
    '',
  ].join('\n')

it('reads what a disk with both kinds of erase says', () => {
  const said = security([
    '\tMaster password revision code = 65534',
    '\t\tsupported',
    '\tnot\tenabled',
    '\tnot\tlocked',
    '\tnot\tfrozen',
    '\tnot\texpired: security count',
    '\t\tsupported: enhanced erase',
    '\t2min for SECURITY ERASE UNIT. 8min for ENHANCED SECURITY ERASE UNIT. ',
  ])
  expect(parseSecurity(said)).toEqual({ enabled: false, locked: false, frozen: false, normal: 2, enhanced: 8 })
})

it('reads one that is locked, frozen and has no enhanced erase', () => {
  const said = security([
    '\t\tsupported',
    '\t\tenabled',
    '\t\tlocked',
    '\t\tfrozen',
    '\tnot\tsupported: enhanced erase',
    '\t508min for SECURITY ERASE UNIT. ',
  ])
  expect(parseSecurity(said)).toEqual({ enabled: true, locked: true, frozen: true, normal: 508, enhanced: undefined })
})

it.each([
  ['a disk without the feature set', security(['\tnot\tsupported'])],
  ['a virtual disk', '\n/dev/vda:\n HDIO_DRIVE_CMD(identify) failed: Inappropriate ioctl for device\n'],
])('%s has none', (_, said) => {
  expect(parseSecurity(said)).toBeUndefined()
})
