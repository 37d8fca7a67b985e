import { expect, test } from 'vitest'
import { bootPath, grubScript } from './grub.ts'
import type { BootMachine } from './machine.ts'

const machine: BootMachine = { node: 'n1', generation: 3, macs: [], arch: 'x86_64', mode: 'ramdisk' }
const script = (cmdline: string): string => grubScript({ ...machine, ramdisk: { cmdline } }, '52:54:00:ab:cd:ef', 'tok')

test('the script starts the kernel with each argument quoted, and a failed boot restarts the machine', () => {
  const lines = script('ipa-api-url=http://10.1.0.1:6385  quiet').split('\n')
  expect(lines).toContain(
    "if linux /boot/tok/kernel 'BOOTIF=01-52-54-00-ab-cd-ef' 'ipa-api-url=http://10.1.0.1:6385' 'quiet'; then",
  )
  expect(lines).toContain('  if initrd /boot/tok/initrd; then')
  expect(lines.at(-2)).toBe('reboot')
})

test('what GRUB would run within an argument stays an argument', () => {
  expect(script('a;reboot $x {b} c|d')).toContain("'a;reboot' '$x' '{b}' 'c|d'; then")
})

test.each(["a'b", 'a\nb', 'a\u0000'])('an argument that could leave its quotes is refused: %j', (cmdline) => {
  expect(() => script(cmdline)).toThrow('kernel arguments of node n1')
})

test('what the script names can be read back, and no other path can', () => {
  expect(bootPath('boot/tok/kernel')).toEqual({ token: 'tok', part: 'kernel' })
  expect(bootPath('boot/tok/../../etc/passwd')).toBeUndefined()
  expect(bootPath('boot//kernel')).toBeUndefined()
})
