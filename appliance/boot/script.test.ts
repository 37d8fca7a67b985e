import { expect, test } from 'vitest'
import type { BootInstance } from './machine.ts'
import { ramdiskScript } from './script.ts'

function script(cmdline: string): string {
  const machine = {
    node: 'n1',
    generation: 7,
    macs: [],
    arch: 'x86_64',
    mode: 'ramdisk',
    ramdisk: { cmdline },
  } as const
  return ramdiskScript({ ...machine, macs: [] }, '52:54:00:ab:cd:ef', 'boot-token')
}

test('the script starts the kernel with the name of its initrd, the interface that booted and the arguments', () => {
  const lines = script('ipa-api-url=http://10.1.0.1:6385 quiet').split('\n')
  expect(lines[0]).toBe('#!ipxe')
  expect(lines).toContain(
    'kernel --name kernel kernel initrd=initrd BOOTIF=01-52-54-00-ab-cd-ef ipa-api-url=http://10.1.0.1:6385 quiet || goto failed',
  )
  expect(lines).toContain('initrd --name initrd initrd || goto failed')
})

test('a script that fails is tried again and in the end reboots', () => {
  expect(script('').trimEnd().split('\n').slice(-4)).toEqual([
    'echo Attempt ${try} of 5 failed',
    'sleep 5',
    'iseq ${try} 5 || goto again',
    'reboot',
  ])
})

test.each(['a\nreboot', 'a ${password}', 'a || shell', 'a && shell', '|| shell', 'a\u0000'])(
  'arguments that iPXE would run are refused: %j',
  (cmdline) => {
    expect(() => script(cmdline)).toThrow('kernel arguments of node n1')
  },
)

test('arguments with | and & inside a word are arguments', () => {
  expect(script('url=http://x/?a=1&b=2')).toContain('url=http://x/?a=1&b=2')
})

test('the script of an instance starts its kernel with its own arguments, that of an ISO the ISO', () => {
  const of = { node: 'n1', generation: 7, macs: [], arch: 'x86_64', mode: 'instance' } as const
  const text = (instance: BootInstance): string =>
    ramdiskScript({ ...of, macs: [], instance }, '52:54:00:ab:cd:ef', 'boot-token')
  expect(text({ kernel: 'k', initrd: 'i', cmdline: 'role=worker' })).toContain(
    'kernel --name kernel kernel initrd=initrd BOOTIF=01-52-54-00-ab-cd-ef role=worker || goto failed',
  )
  const iso = text({ iso: 'live', cmdline: '' })
  expect(iso).toContain('sanboot instance.iso || goto failed')
  expect(iso).not.toContain('kernel --name')
})
