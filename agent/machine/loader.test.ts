import { expect, it } from 'vitest'
import { partitionPath } from '../disks/device.ts'
import { chooseLoader, entriesLabelled } from './loader.ts'
import { withoutTokens } from './logs.ts'

const csv = Buffer.from('\ufeffshimx64.efi,debian,,This is the boot entry for debian\n', 'utf16le')
const read = () => Promise.resolve(csv)

it('boots the loader that a distribution announces, under its name', async () => {
  const files = ['EFI', 'EFI/BOOT/BOOTX64.EFI', 'EFI/debian/BOOTX64.CSV', 'EFI/debian/shimx64.efi']
  expect(await chooseLoader(files, 'x64', read)).toEqual({ path: '\\EFI\\debian\\shimx64.efi', label: 'debian' })
})

it('boots the path for removable media where nothing is announced, or the announced file is missing', async () => {
  const removable = { path: '\\EFI\\boot\\bootx64.efi', label: 'Deployed image' }
  expect(await chooseLoader(['EFI/boot/bootx64.efi'], 'x64', read)).toEqual(removable)
  expect(await chooseLoader(['EFI/boot/bootx64.efi', 'EFI/debian/BOOTX64.CSV'], 'x64', read)).toEqual(removable)
})

it('boots nothing for another architecture', async () => {
  expect(await chooseLoader(['EFI/BOOT/BOOTX64.EFI'], 'arm64', read)).toBeUndefined()
  expect(await chooseLoader(['EFI/BOOT/BOOTX64.EFI'], 'riscv64', read)).toBeUndefined()
})

it('finds the entries that an earlier deploy left under the same label', () => {
  const listed = [
    'BootCurrent: 0001',
    'BootOrder: 0003,0001,000A',
    'Boot0001* UEFI PXEv4\tPciRoot(0x0)/Pci(0x3,0x0)',
    'Boot0003* debian\tHD(1,GPT,5a11)/File(\\EFI\\debian\\shimx64.efi)',
    'Boot000A  debian',
    'Boot000B* debian two\tHD(1,GPT,5a12)',
  ].join('\n')
  expect(entriesLabelled(listed, 'debian')).toEqual(['0003', '000A'])
})

it('names partitions as the kernel does', () => {
  expect(partitionPath('/dev/sda', 2)).toBe('/dev/sda2')
  expect(partitionPath('/dev/nvme0n1', 2)).toBe('/dev/nvme0n1p2')
})

it('leaves no token in a collected command line', () => {
  expect(withoutTokens('quiet ipa-agent-token=abc root=/dev/sda')).toBe('quiet ipa-agent-token=*** root=/dev/sda')
})
