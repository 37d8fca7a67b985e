import { expect, it } from 'vitest'
import { instanceRamdisk } from './instance-ramdisk.ts'

const [kernel, ramdisk, boot_iso] = [
  'https://files.example/vmlinuz',
  'http://files.example/initrd',
  'http://x/live.iso',
]
const both = { kernel, ramdisk }

it('takes kernel and ramdisk by URL, with the arguments of both of Ironic’s keys', () => {
  const info = { ...both, kernel_append_params: '%default% console=ttyS0', ramdisk_kernel_arguments: 'role=worker' }
  expect(instanceRamdisk(info, 'ipxe')).toEqual({
    files: { kernel: { url: kernel, digest: null }, ramdisk: { url: ramdisk, digest: null } },
    cmdline: 'console=ttyS0 role=worker',
  })
})

it.each([
  ['sha256', 64],
  ['sha512', 128],
])('holds a file to its %s where one is given', (algorithm, digits) => {
  const info = { ...both, kernel_checksum: 'AB'.repeat(digits / 2) }
  const digest = { algorithm, value: 'ab'.repeat(digits / 2) }
  expect(instanceRamdisk(info, 'pxe').files).toMatchObject({ kernel: { digest }, ramdisk: { digest: null } })
})

it.each(['ipxe', 'redfish-virtual-media', 'idrac-redfish-virtual-media'])('takes an ISO to be booted by %s', (boot) => {
  expect(instanceRamdisk({ boot_iso }, boot)).toEqual({
    files: { boot_iso: { url: boot_iso, digest: null } },
    cmdline: '',
  })
})

it.each([
  [{}, 'ipxe', /lacks kernel and ramdisk, or boot_iso/],
  [{ kernel }, 'ipxe', /lacks ramdisk: an http/],
  [{ ramdisk }, 'ipxe', /lacks kernel: an http/],
  [{ kernel: 'file:///boot/vmlinuz', ramdisk }, 'ipxe', /instance_info\/kernel is not an http\(s\) URL/],
  [{ kernel: 7, ramdisk }, 'ipxe', /instance_info\/kernel is not/],
  [{ kernel, ramdisk: `http://x/${'a'.repeat(2048)}` }, 'ipxe', /instance_info\/ramdisk is not .* at most 2048/],
  [
    { ...both, ramdisk_checksum: 'd41d8cd98f00b204e9800998ecf8427e' },
    'ipxe',
    /ramdisk_checksum is not a sha256 or sha512/,
  ],
  [{ ...both, kernel_append_params: 'a || shell' }, 'ipxe', /can't be told to every boot loader/],
  [{ ...both, kernel_append_params: 'a=${b}' }, 'ipxe', /can't be told/],
  [{ ...both, ramdisk_kernel_arguments: ['a'] }, 'ipxe', /can't be told/],
  [{ ...both, ramdisk_kernel_arguments: 'a'.repeat(2001) }, 'ipxe', /at most 2000 characters/],
  [{ ...both, configdrive: 'H4sI' }, 'ipxe', /no place for instance_info\/configdrive/],
  [{ boot_iso, kernel_append_params: 'quiet' }, 'ipxe', /kernel_append_params has no effect/],
  [both, 'redfish-virtual-media', /inserts a boot_iso: for kernel and ramdisk use .* ipxe/],
  [{ boot_iso }, 'redfish-https', /boots once, and a ramdisk deploy boots at every start/],
])('%j by %s is refused, and the sentence says why', (info, boot, sentence) => {
  expect(() => instanceRamdisk(info, boot)).toThrow(sentence)
})
