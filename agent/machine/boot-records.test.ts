import { expect, it } from 'vitest'
import { bootRecords, recordsToDelete } from './boot-records.ts'

/** As efibootmgr 17 prints it. */
const listed = `BootCurrent: 0003
Timeout: 0 seconds
BootOrder: 0003,0000,0001,0002
Boot0000* UiApp\tFvVol(7cb8bdc9-f8eb-4f34-aaea-3ee4af6516a1)/FvFile(462caa21-7614-4503-836e-8ab6f4662331)
Boot0001* UEFI Misc Device\tPciRoot(0x0)/Pci(0x3,0x0)N.....YM....R,Y.
Boot0002  UEFI PXEv4 (MAC:525400800011)\tPciRoot(0x0)/Pci(0x2,0x0)/MAC(525400800011,1)/IPv4(0.0.0.00.0.0.0,0,0)N.....YM....R,Y.
Boot0003* debian\tHD(1,GPT,b1,0x800,0x100000)/File(\\EFI\\debian\\shimx64.efi)
Boot00AF* Old entry\tPciRoot(0x0)/File(\\x.efi)
`

it('reads entries with their device paths', () => {
  expect(bootRecords(listed).map(({ id, label }) => [id, label])).toEqual([
    ['0000', 'UiApp'],
    ['0001', 'UEFI Misc Device'],
    ['0002', 'UEFI PXEv4 (MAC:525400800011)'],
    ['0003', 'debian'],
    ['00AF', 'Old entry'],
  ])
})

it('deletes what leads to a loader on a disk, and nothing of the firmware or the network', () => {
  expect(recordsToDelete(bootRecords(listed)).map(({ id }) => id)).toEqual(['0003', '00AF'])
})

it('deletes what is asked for, by label or path', () => {
  const ids = (...patterns: RegExp[]) => recordsToDelete(bootRecords(listed), patterns).map(({ id }) => id)
  expect(ids(/^Old/)).toEqual(['00AF'])
  expect(ids(/IPv4/, /^UiApp$/)).toEqual(['0000', '0002'])
  expect(ids()).toEqual([])
})
