import { expect, test } from 'vitest'
import { labRamdisk } from '../lab/ramdisk.ts'
import { debianBoot } from './boot/debian.ts'
import { startBootLab } from './boot/lab.ts'

/** Each kind of firmware reaches the first line of a ramdisk; what it asked for on the way is in the log of the boot services. */

const sent = (log: Record<string, string>[]): string[] => log.map(({ message = '' }) => message)

test('UEFI HTTP boot over IPv4: firmware fetches iPXE by HTTP, without TFTP', async () => {
  const { kernel } = await debianBoot('amd64')
  await using lab = await startBootLab({ kernel, firmware: 'ovmf', asking: 'http4' })
  await lab.says(/RAMDISK UP/, 500_000)
  const offered = lab.log.filter(({ request }) => request === 'discover').map(({ file }) => file)
  expect(offered).toContain('http://10.97.0.1:8080/loader/snponly.efi')
  expect(sent(lab.log).filter((line) => line.startsWith('TFTP sent'))).toEqual([])
})

test('UEFI HTTPS boot: firmware that trusts the authority of the site fetches iPXE by HTTPS', async () => {
  const { kernel } = await debianBoot('amd64')
  await using lab = await startBootLab({ kernel, firmware: 'ovmf', asking: 'https4' })
  await lab.says(/RAMDISK UP/, 500_000)
  const offered = lab.log.filter(({ request }) => request === 'discover').map(({ file }) => file)
  expect(offered).toContain('https://10.97.0.1:8443/loader/snponly.efi')
})

test('UEFI HTTP boot over IPv6: DHCPv6 names iPXE by its URL', async () => {
  const { kernel } = await debianBoot('amd64')
  await using lab = await startBootLab({ kernel, firmware: 'ovmf', asking: 'http6', way: 'dnsmasq' })
  await lab.says(/RAMDISK UP/, 400_000)
  const urls = lab.log.filter(({ request }) => request === 'solicit').map(({ url }) => url)
  expect(urls).toContain('http://[fd00:97::1]:8080/loader/snponly.efi')
  expect(urls).toContain('http://[fd00:97::1]:8080/boot/…/script.ipxe')
  expect(sent(lab.log).filter((line) => line.startsWith('TFTP sent'))).toEqual([])
})

test('firmware that only speaks IPv6 finds DHCPv6, and fetches iPXE over TFTP', async () => {
  const { kernel } = await debianBoot('amd64')
  await using lab = await startBootLab({ kernel, firmware: 'ovmf', asking: 'pxe6' })
  await lab.says(/RAMDISK UP/, 500_000)
  const loader = lab.log.find(({ message }) => message === 'TFTP sent "snponly.efi"')
  expect(loader?.['client']).toMatch(/^fd00:97::/)
  const urls = lab.log.filter(({ request }) => request === 'solicit').map(({ url }) => url)
  expect(urls).toContain('tftp://[fd00:97::1]/snponly.efi')
  expect(urls).toContain('http://[fd00:97::1]:8080/boot/…/script.ipxe')
})

test('aarch64 UEFI: firmware fetches GRUB over TFTP, GRUB our arm64 ramdisk, and its agent asks who it is', async () => {
  const { shim, grub } = await debianBoot('arm64')
  const { kernel, initrd } = await labRamdisk(() => {}, 'cloud-arm64')
  const loaders = { shimArm64: shim, grubArm64: grub }
  await using lab = await startBootLab({ kernel, initrd, loaders, firmware: 'aavmf', asking: 'pxe4' })
  await lab.says(/network: eth0 52:54:00:97:00:01 has 10\.97\.0\./, 400_000)
  const lines = sent(lab.log)
  for (const file of ['grubaa64.efi', '/grub/grub.cfg', '/boot/…/kernel', '/boot/…/initrd'])
    expect(lines).toContain(`TFTP sent "${file}"`)
  // Nobody is at that address of the boot services; that it asks there is all that is wanted of the agent here.
  await lab.says(/"event":"lookup failed","api":"http:\/\/10\.97\.0\.1:8080"/, 120_000)
}, 1_200_000) // the first time, the ramdisk is built

test('U-Boot on arm64 asks as UEFI does, starts GRUB, and GRUB the kernel', async () => {
  const { kernel, busybox, shim, grub } = await debianBoot('arm64')
  const loaders = { shimArm64: shim, grubArm64: grub }
  await using lab = await startBootLab({ kernel, busybox, loaders, firmware: 'uboot', asking: 'pxe4' })
  await lab.says(/RAMDISK UP/, 500_000)
  const given = lab.log.filter(({ request }) => request === 'discover').map(({ file }) => file)
  expect(given).toContain('grubaa64.efi')
})

test("U-Boot's own PXE finds the configuration of its address, and starts the kernel without any loader", async () => {
  const { kernel, busybox, grub } = await debianBoot('arm64')
  const loaders = { grubArm64: grub }
  await using lab = await startBootLab({ kernel, busybox, loaders, firmware: 'uboot', asking: 'pxelinux' })
  await lab.says(/RAMDISK UP/, 500_000)
  // What it asked for twice, because the answer was slow, it was sent twice.
  const transfers = new Set(sent(lab.log).filter((line) => line.startsWith('TFTP sent')))
  expect([...transfers]).toEqual([
    'TFTP sent "pxelinux.cfg/0A610064"',
    'TFTP sent "/boot/…/initrd"',
    'TFTP sent "/boot/…/kernel"',
  ])
})

test("a BIOS behind Debian's relay, in another subnet, boots by iPXE", async () => {
  const { kernel } = await debianBoot('amd64')
  await using lab = await startBootLab({ kernel, firmware: 'seabios', asking: 'pxe4', way: 'relay' })
  await lab.says(/RAMDISK UP/, 500_000)
  const acked = lab.log.filter(({ reply }) => reply === 'ack')
  expect(acked[0]).toMatchObject({ relay: '10.98.0.1' })
  expect(acked[0]?.['address']).toMatch(/^10\.98\.0\.1\d\d$/)
})

test('UEFI beside dnsmasq, which gives the addresses: our proxy names the loader, at 4011 too', async () => {
  const { kernel } = await debianBoot('amd64')
  await using lab = await startBootLab({ kernel, firmware: 'ovmf', asking: 'pxe4', way: 'dnsmasq' })
  await lab.says(/RAMDISK UP/, 500_000)
  const decided = lab.log.filter(({ proxy }) => proxy !== undefined).map(({ request, reply }) => `${request} ${reply}`)
  expect(decided).toEqual(expect.arrayContaining(['discover offer', 'request ack']))
  expect(sent(lab.log)).toContain('TFTP sent "snponly.efi"')
})
