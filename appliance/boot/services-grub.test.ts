import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { Option } from '@bloomery/dhcp/codes.ts'
import { ipv4FromText, ipv4ToText } from '@bloomery/wire/address.ts'
import { BRIEFLY, MAC, openBootSite, type BootSite } from './testing/boot-site.ts'

let site: BootSite
beforeEach(() => {
  site = openBootSite()
})
afterEach(() => site.close())

test('everything that GRUB is told is served, to known machines and to unknown ones, over TFTP', async () => {
  const ramdisk = { kernel: join(site.files, 'kernel'), initrd: join(site.files, 'initrd') }
  const loaders = {
    bios: join(site.files, 'bios'),
    uefiX64: join(site.files, 'x64'),
    grubArm64: join(site.files, 'arm64'),
  }
  await site.start({ unknownMachines: 'discover', files: { aarch64: ramdisk, x86_64: ramdisk, loaders } })
  for (const known of [true, false]) {
    if (known) site.due('ramdisk', { arch: 'aarch64' })
    else site.machines.clear()
    const lease = await site.boot(11)
    expect(lease.bootFile).toBe('grubaa64.efi')
    expect(Buffer.from(await site.fetchNamed(lease)).toString()).toBe('arm64 bytes')
    const script = Buffer.from(await site.fetchNamed({ ...lease, bootFile: '/grub/grub.cfg' })).toString()
    const named = [...script.matchAll(/(?:linux|initrd) (\/boot\S+?)[\s;]/g)].map(([, name = '']) => name)
    expect(named).toHaveLength(known ? 2 : 4)
    for (const bootFile of named) expect((await site.fetchNamed({ ...lease, bootFile })).length).toBeGreaterThan(0)
    const seen = (): string[] => site.timeline.marks([MAC], new Date(0)).map((mark) => mark.seen)
    const way = ['boot script', 'kernel', 'ramdisk'].map((step) => `${step} fetched over TFTP`)
    await expect.poll(seen).toEqual(expect.arrayContaining(way))
  }
})

test('everything that U-Boot is told is served over TFTP, to the card that it is for only', async () => {
  await site.start()
  site.due('ramdisk', { arch: 'aarch64' })
  const vendorClass = Buffer.from('U-Boot.armv8')
  const options = new Map([
    [Option.vendorClass, vendorClass] as const,
    [Option.clientArchitecture, Uint8Array.of(0, 22)],
  ])
  const lease = await site.acquire(options)
  expect([ipv4ToText(lease.nextServer), lease.bootFile, lease.options.has(Option.bootFileName)]).toEqual([
    '127.0.0.1',
    '',
    false,
  ])
  const bootFile = `pxelinux.cfg/01-${MAC.replaceAll(':', '-')}`
  const text = Buffer.from(await site.fetchNamed({ ...lease, bootFile })).toString()
  const named = [...text.matchAll(/^ {2}(?:kernel|initrd) (\S+)$/gm)].map(([, name = '']) => name)
  expect(named).toHaveLength(2)
  for (const file of named) expect((await site.fetchNamed({ ...lease, bootFile: file })).length).toBeGreaterThan(0)
  const other = site.fetchNamed({ ...lease, bootFile, address: ipv4FromText('127.0.0.77') })
  await expect(other).rejects.toThrow('file not found')
  site.due('disk', { arch: 'aarch64' })
  await expect(site.fetchNamed({ ...lease, bootFile })).rejects.toThrow('file not found')
})

test('beside another DHCP server GRUB is not offered, as it would ask that one for its script', async () => {
  const ramdisk = { kernel: join(site.files, 'kernel'), initrd: join(site.files, 'initrd') }
  const loaders = {
    bios: join(site.files, 'bios'),
    uefiX64: join(site.files, 'x64'),
    grubArm64: join(site.files, 'arm64'),
  }
  const subnets = [{ cidr: '127.0.0.0/8', interfaceAddress: '127.0.0.1', mode: 'proxy' }]
  const dhcp = { host: '127.0.0.1', port: 0, pxePort: 0, relayPort: 0 }
  await site.start({ subnets, dhcp, files: { aarch64: ramdisk, x86_64: ramdisk, loaders } })
  site.due('ramdisk', { arch: 'aarch64' })
  await expect(site.boot(11, 'firmware', BRIEFLY)).rejects.toThrow('no answer')
  await expect.poll(() => JSON.stringify(site.logged)).toContain('beside another DHCP server it is not offered')
})
