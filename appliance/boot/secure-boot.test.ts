import { expect, test } from 'vitest'
import { wantsSecureBoot } from './secure-boot.ts'

test.each([
  ['a list', {}, { capabilities: 'boot_mode:uefi,secure_boot:true' }, true],
  ['an object of the instance', { capabilities: { secure_boot: 'true' } }, {}, true],
  ['JSON of the instance', { capabilities: '{"secure_boot":"True"}' }, {}, true],
  [
    'the instance against the node',
    { capabilities: { secure_boot: 'false' } },
    { capabilities: 'secure_boot:true' },
    false,
  ],
  ['nothing', {}, {}, false],
  ['broken JSON', { capabilities: '{"secure_boot' }, {}, false],
  ['a name that only begins so', {}, { capabilities: 'secure_boots:true' }, false],
])('Secure Boot as said by %s', (_, instance_info, properties, wanted) => {
  expect(wantsSecureBoot({ boot_mode: 'uefi', instance_info, properties })).toBe(wanted)
})

test('a BIOS has no Secure Boot, whatever is said', () => {
  const properties = { capabilities: 'secure_boot:true' }
  expect(wantsSecureBoot({ boot_mode: 'bios', instance_info: {}, properties })).toBe(false)
})
