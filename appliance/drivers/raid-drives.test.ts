import { expect, it } from 'vitest'
import type { Controller, Drive } from '@bloomery/redfish/storage.ts'
import { chooseDrives, raidConfigOf } from './raid-drives.ts'

const drive = (id: string, more: Partial<Drive> = {}): Drive => ({
  path: `/c1/Drives/${id}`,
  name: id,
  model: undefined,
  serial: `s-${id}`,
  capacityBytes: 480e9,
  media: 'SSD',
  protocol: 'SATA',
  health: 'OK',
  ...more,
})
const disk = drive('D1', { media: 'HDD', protocol: 'SAS' })
const controller = (drives: Drive[], volumes: Controller['volumes'] = []): Controller => ({
  path: '/c1',
  name: 'RAID.1',
  drives,
  volumes,
})
const four = controller([drive('A'), drive('B'), drive('C'), disk])
const chosen = (...disks: Parameters<typeof chooseDrives>[1]) => chooseDrives([four], disks).map(({ drives }) => drives)

it('takes the fewest drives that the level needs, each once', () => {
  expect(chosen({ size_gb: 100, raid_level: '1' }, { size_gb: 'MAX', raid_level: '0' })).toEqual([
    ['/c1/Drives/A', '/c1/Drives/B'],
    ['/c1/Drives/C'],
  ])
  expect(chooseDrives([four], [{ size_gb: 100, raid_level: '1' }])[0]).toMatchObject({
    capacityBytes: 100 * 2 ** 30,
    raid: 'RAID1',
    name: 'bloomery-0',
  })
})

it('takes drives by kind, bus, name and serial', () => {
  expect(chosen({ size_gb: 'MAX', raid_level: '0', disk_type: 'hdd' })).toEqual([[disk.path]])
  expect(chosen({ size_gb: 'MAX', raid_level: '0', interface_type: 'sas' })).toEqual([[disk.path]])
  expect(chosen({ size_gb: 'MAX', raid_level: '0', physical_disks: ['B', 's-C'] })).toEqual([
    ['/c1/Drives/B', '/c1/Drives/C'],
  ])
})

it('leaves drives of volumes that are there', () => {
  const volumes = [{ path: '/v', name: 'old', raid: 'RAID1', capacityBytes: 2 ** 30, drives: ['/c1/Drives/A'] }]
  const [made] = chooseDrives([controller([drive('A'), drive('B')], volumes)], [{ size_gb: 'MAX', raid_level: '0' }])
  expect(made?.drives).toEqual(['/c1/Drives/B'])
  expect(raidConfigOf([controller([], volumes)])).toEqual({
    logical_disks: [{ controller: 'RAID.1', volume_name: 'old', raid_level: '1', size_gb: 1, physical_disks: ['A'] }],
  })
})

it.each([
  [{ size_gb: 'MAX', raid_level: '6', disk_type: 'ssd' }, /needs 4 free drives/],
  [{ size_gb: 'MAX', raid_level: '5', number_of_physical_disks: 2 }, /needs 3 disks, not 2/],
  [{ size_gb: 'MAX', raid_level: 'JBOD' }, /JBOD can't be made/],
  [{ size_gb: 'MAX', raid_level: '0', share_physical_disks: true }, /share/],
  [{ size_gb: 'MAX', raid_level: '0', controller: 'other' }, /at one controller/],
] as const)('%j is refused with what is missing', (wanted, why) => expect(() => chosen(wanted)).toThrow(why))
