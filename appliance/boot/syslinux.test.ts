import { expect, test } from 'vitest'
import type { BootMachine } from './machine.ts'
import { isConfigurationOf, syslinuxConfig } from './syslinux.ts'

const machine = (cmdline: string): BootMachine => ({
  node: 'n1',
  generation: 3,
  macs: [],
  arch: 'aarch64',
  mode: 'ramdisk',
  ramdisk: { cmdline },
})

test.each([
  ['pxelinux.cfg/01-52-54-00-AA-bb-01', true],
  ['pxelinux.cfg/0A610064', true],
  ['pxelinux.cfg/01-52-54-00-aa-bb-02', false],
  ['pxelinux.cfg/0A610065', false],
  ['pxelinux.cfg/0A6100', false],
  ['pxelinux.cfg/default-arm', false],
  ['01-52-54-00-aa-bb-01', false],
])('of the files that U-Boot tries, %s is that of its card or address: %s', (name, expected) => {
  expect(isConfigurationOf(name, '52:54:00:aa:bb:01', '10.97.0.100')).toBe(expected)
})

test('over IPv6 the address names nothing', () => {
  expect(isConfigurationOf('pxelinux.cfg/0A610064', '52:54:00:aa:bb:01', 'fd00::1')).toBe(false)
})

test('kernel, ramdisk and arguments stand on lines of their own', () => {
  const lines = syslinuxConfig(machine('console=ttyAMA0 a=b'), '52:54:00:00:00:01', 'secret').split('\n')
  expect(lines).toContain('  kernel /boot/secret/kernel')
  expect(lines).toContain('  initrd /boot/secret/initrd')
  expect(lines).toContain('  append BOOTIF=01-52-54-00-00-00-01 console=ttyAMA0 a=b')
})

test.each(['a=${ethaddr}', "a='b", 'a\nkernel x', 'a\\', 'a=$(b)', 'ä'])(
  'arguments that U-Boot would read otherwise are refused: %j',
  (cmdline) => {
    expect(() => syslinuxConfig(machine(cmdline), '52:54:00:00:00:01', 't')).toThrow('node n1')
  },
)
