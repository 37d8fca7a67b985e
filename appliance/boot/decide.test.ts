import { expect, test } from 'vitest'
import { decide, type BootPolicy, type BootRequest } from './decide.ts'
import type { BootMachine } from './machine.ts'

const all: BootPolicy = { unknownMachines: 'ignore', hasLoader: () => true, hasRamdisk: () => true }

const pxe = (architecture: number): BootRequest => ({ vendorClass: 'PXEClient:Arch:0', architecture, ipxe: false })
const http = (architecture: number): BootRequest => ({ vendorClass: 'HTTPClient:Arch:0', architecture, ipxe: false })
const ipxe = (architecture: number): BootRequest => ({ ...pxe(architecture), ipxe: true })
const system: BootRequest = { vendorClass: '', ipxe: false }
const uBoot: BootRequest = { vendorClass: 'U-Boot.armv8', architecture: 22, ipxe: false }

function machine(mode: BootMachine['mode'], arch: BootMachine['arch'] = 'x86_64'): BootMachine {
  return { node: 'n', generation: 1, macs: [], arch, mode }
}

const x64 = { mode: 'ramdisk', arch: 'x86_64' } as const
const arm = { mode: 'ramdisk', arch: 'aarch64' } as const

test.each([
  ['BIOS', x64, pxe(0), { kind: 'loader', loader: 'bios', over: 'tftp' }],
  ['UEFI x64 (7)', x64, pxe(7), { kind: 'loader', loader: 'uefiX64', over: 'tftp' }],
  ['UEFI x64 (9)', x64, pxe(9), { kind: 'loader', loader: 'uefiX64', over: 'tftp' }],
  ['UEFI x64 by HTTP', x64, http(16), { kind: 'loader', loader: 'uefiX64', over: 'http' }],
  ['UEFI arm64', arm, pxe(11), { kind: 'loader', loader: 'uefiArm64', over: 'tftp' }],
  ['UEFI arm64 by HTTP', arm, http(19), { kind: 'loader', loader: 'uefiArm64', over: 'http' }],
  ['iPXE on BIOS', x64, ipxe(0), { kind: 'script', script: 'ramdisk', arch: 'x86_64' }],
  ['iPXE on UEFI x64', x64, ipxe(7), { kind: 'script', script: 'ramdisk', arch: 'x86_64' }],
  ['iPXE on UEFI arm64', arm, ipxe(11), { kind: 'script', script: 'ramdisk', arch: 'aarch64' }],
  ['an operating system', x64, system, { kind: 'address' }],
  ['U-Boot by itself', arm, uBoot, { kind: 'configuration' }],
  ['a U-Boot of another processor', x64, uBoot, { kind: 'address' }],
  ['U-Boot as UEFI', arm, pxe(11), { kind: 'loader', loader: 'uefiArm64', over: 'tftp' }],
  ['IA32 firmware', x64, pxe(6), { kind: 'silent', because: 'no loader for firmware architecture 6' }],
  ['firmware of no stated architecture', x64, { vendorClass: 'PXEClient', ipxe: false }, { kind: 'silent' }],
  [
    'firmware of another processor',
    x64,
    pxe(11),
    { kind: 'silent', because: "firmware is aarch64, but the node's cpu_arch is x86_64" },
  ],
])('a machine whose ramdisk is due, %s', (_, { mode, arch }, request, expected) => {
  expect(decide(machine(mode, arch), request, all)).toMatchObject(expected)
})

const kernel: BootMachine = { ...machine('instance'), instance: { kernel: 'k', initrd: 'i', cmdline: '' } }
const iso: BootMachine = { ...machine('instance'), instance: { iso: 'live', cmdline: '' } }
const ofArm = (of: BootMachine): BootMachine => ({ ...of, arch: 'aarch64' })
const ofSecure = (of: BootMachine): BootMachine => ({ ...of, secureBoot: true })
const noRamdisk: BootPolicy = { ...all, hasRamdisk: () => false }
const noIpxe: BootPolicy = { ...all, hasLoader: (loader) => loader === 'grubArm64' }
test.each([
  ['BIOS loads iPXE', kernel, pxe(0), noRamdisk, { kind: 'loader', loader: 'bios', over: 'tftp' }],
  ['UEFI loads iPXE by HTTP', kernel, http(16), noRamdisk, { kind: 'loader', loader: 'uefiX64', over: 'http' }],
  [
    'iPXE gets its script, whatever ramdisks the site has',
    kernel,
    ipxe(7),
    noRamdisk,
    { kind: 'script', script: 'instance' },
  ],
  ['iPXE gets the script of an ISO', iso, ipxe(7), all, { kind: 'script', script: 'instance' }],
  ['U-Boot finds its configuration', ofArm(kernel), uBoot, noRamdisk, { kind: 'configuration' }],
  ['U-Boot starts no ISO', ofArm(iso), uBoot, all, { kind: 'address' }],
  ['GRUB starts its kernel', ofArm(kernel), pxe(11), noIpxe, { kind: 'loader', loader: 'grubArm64' }],
  [
    'GRUB starts no ISO',
    ofArm(iso),
    pxe(11),
    noIpxe,
    { kind: 'silent', because: expect.stringContaining('an ISO or a volume is started by iPXE') },
  ],
  ['Secure Boot starts shim for a kernel', ofSecure(kernel), pxe(7), all, { kind: 'loader', loader: 'shimX64' }],
  ['Secure Boot starts no ISO', ofSecure(iso), pxe(7), all, { kind: 'silent' }],
  ['what it runs gets an address', kernel, system, all, { kind: 'address' }],
])('a machine whose instance is booted at every start: %s', (_, of, request, policy, expected) => {
  expect(decide(of, request, policy)).toMatchObject(expected)
})

test.each([
  ['firmware loads iPXE to be told so', pxe(7), { kind: 'loader', loader: 'uefiX64' }],
  ['iPXE gives it back to its firmware', ipxe(7), { kind: 'script', script: 'local' }],
  ['an operating system gets an address', system, { kind: 'address' }],
  ['U-Boot gets an address', uBoot, { kind: 'address' }],
])('a machine whose disk is due: %s', (_, request, expected) => {
  expect(decide(machine('disk'), request, all)).toMatchObject(expected)
})

test.each([pxe(0), ipxe(7), http(16), system])('a machine that is off gets nothing', (request) => {
  expect(decide(machine('off'), request, all)).toEqual({
    kind: 'silent',
    because: 'known machine that shall not boot now',
  })
})

test.each([
  ['ignore', pxe(0), 'silent'],
  ['ignore', system, 'silent'],
  ['local', pxe(0), 'address'],
  ['local', system, 'address'],
  ['discover', pxe(0), 'loader'],
  ['discover', ipxe(0), 'script'],
  ['discover', system, 'address'],
] as const)('under the policy %s, an unknown machine that asks %j gets: %s', (unknownMachines, request, kind) => {
  expect(decide(undefined, request, { ...all, unknownMachines }).kind).toBe(kind)
})

test('what the site has not is not promised, and the reason says what to set', () => {
  expect(decide(machine('ramdisk', 'aarch64'), pxe(11), { ...all, hasLoader: () => false })).toEqual({
    kind: 'silent',
    because: 'this site has no loader for UEFI arm64: set boot files.loaders.uefiArm64 or files.loaders.grubArm64',
  })
  expect(decide(machine('ramdisk'), ipxe(0), { ...all, hasRamdisk: () => false })).toEqual({
    kind: 'silent',
    because: 'this site has no ramdisk for x86_64: set boot files.x86_64',
  })
})

const secure: BootMachine = { ...machine('ramdisk'), secureBoot: true }
test.each([
  ['UEFI x64 gets shim', secure, pxe(7), all, { kind: 'loader', loader: 'shimX64', over: 'tftp' }],
  ['UEFI arm64 gets its shim', { ...secure, arch: 'aarch64' as const }, pxe(11), all, { loader: 'shimArm64' }],
  ['HTTP boot is left for PXE', secure, http(16), all, { kind: 'silent' }],
  ['its disk is left to it', { ...secure, mode: 'disk' as const }, pxe(7), all, { kind: 'address' }],
  ['U-Boot is given no kernel', { ...secure, arch: 'aarch64' as const }, uBoot, all, { kind: 'address' }],
  [
    'a site without signed loaders says which packages',
    secure,
    pxe(7),
    { ...all, hasLoader: (loader: string) => loader !== 'grubX64' },
    { because: "this site has no signed loaders for UEFI x64: install Debian's shim-signed and grub-efi-amd64-signed" },
  ],
])('under Secure Boot, %s', (_, of, request, policy, expected) => {
  expect(decide(of, request, policy)).toMatchObject(expected)
})

const grubOnly: BootPolicy = { ...all, hasLoader: (loader) => loader === 'grubArm64' }
test.each([
  ['gets GRUB over PXE', 'ramdisk', pxe(11), { kind: 'loader', loader: 'grubArm64', over: 'tftp' }],
  ['is left to try PXE when it asks by HTTP', 'ramdisk', http(19), { kind: 'silent' }],
  ['is left to its own disk', 'disk', pxe(11), { kind: 'address' }],
] as const)('where no iPXE is built for it, UEFI arm64 %s', (_, mode, request, expected) => {
  expect(decide(machine(mode, 'aarch64'), request, grubOnly)).toMatchObject(expected)
})
