import { expect, it } from 'vitest'
import { ramdiskCommandLine } from './ramdisk-command-line.ts'

const site = { doorUrl: 'https://10.0.0.1:6385', kernelArguments: 'console=ttyS0' }
const own = 'ipa-insecure=1 ipa-api-url=https://10.0.0.1:6385'

it.each<[string | null | undefined, string]>([
  [undefined, `console=ttyS0 ${own}`],
  [null, `console=ttyS0 ${own}`],
  ['console=ttyS1', `console=ttyS1 ${own}`],
  ['%default% lockdown=integrity', `console=ttyS0 lockdown=integrity ${own}`],
  ['ipa-api-url=https://elsewhere', `ipa-api-url=https://elsewhere ${own}`],
])(
  'a node whose kernel_append_params is %j gets them in the place of the site’s, and the site’s door last',
  (given, line) => {
    expect(ramdiskCommandLine(site, 'deploy', { kernel_append_params: given })).toBe(line)
  },
)

it('where to post comes with inspections', () => {
  expect(ramdiskCommandLine(site, 'inspect')).toContain(
    'ipa-inspection-callback-url=https://10.0.0.1:6385/v1/continue_inspection',
  )
})

it.each([['a=$(b)'], ["a='b'"], ['a && b'], ['x'.repeat(1501)], [7]])('refuses %j', (given) => {
  expect(() => ramdiskCommandLine(site, 'deploy', { kernel_append_params: given })).toThrow(/can't be told/)
})
