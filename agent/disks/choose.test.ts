import { describe, expect, it } from 'vitest'
import { chooseRootDisk } from './choose.ts'
import { GiB, type Disk } from './disk.ts'

const disk = (name: string, gib: number, more: Partial<Disk> = {}): Disk => ({
  name: `/dev/${name}`,
  size: gib * GiB,
  sector: 512,
  rotational: false,
  discards: false,
  ...more,
})
const disks = [
  disk('sda', 931, { rotational: true, model: 'ST1000NX', vendor: 'SEAGATE', serial: 'S47A', hctl: '0:0:0:0' }),
  disk('sdb', 447, { model: 'INTEL SSDSC2KB48', vendor: 'ATA', serial: 'PHYF', wwn: '0x55cd2e4150f4' }),
  disk('sdc', 447.2, { model: 'INTEL SSDSC2KG48', vendor: 'ATA', serial: 'BTYG', by_path: '/dev/disk/by-path/pci-1' }),
  disk('sdd', 3, { model: 'SD card', serial: 'tiny' }),
]
const chosen = (root_device: unknown) => chooseRootDisk(disks, { properties: { root_device } }).name

describe('without hints', () => {
  it('the smallest disk above 4 GiB is the root disk', () => {
    expect(chooseRootDisk(disks, {}).name).toBe('/dev/sdb')
    expect(chosen({})).toBe('/dev/sdb')
  })

  it('a disk of 4 GiB is too small, and the error lists what was seen', () => {
    expect(() => chooseRootDisk([disk('vda', 4, { serial: 'x' })], {})).toThrow('disks seen: /dev/vda (4.0 GiB, x)')
    expect(() => chooseRootDisk([], {})).toThrow('disks seen: none')
  })
})

describe('with arrays', () => {
  const array = (name: string, volume_name: string, gib: number) =>
    disk(name, gib, { volume_name, members: ['/dev/sda2', '/dev/sdb2'] })
  const arrays = [...disks, array('md0', '0', 900), array('md127', 'fast', 500)]
  const logical = { size_gb: 'MAX', raid_level: '1', controller: 'software' }

  it('the first that target_raid_config names is the root disk, or the one that it marks', () => {
    const target_raid_config = { logical_disks: [logical, { ...logical, volume_name: 'fast' }] }
    expect(chooseRootDisk(arrays, { target_raid_config }).name).toBe('/dev/md0')
    const marked = { logical_disks: [logical, { ...logical, volume_name: 'fast', is_root_volume: true }] }
    expect(chooseRootDisk(arrays, { target_raid_config: marked }).name).toBe('/dev/md127')
    expect(chooseRootDisk(disks, { target_raid_config }).name).toBe('/dev/sdb')
  })

  it('hints come first, also by the name of the volume', () => {
    const properties = { root_device: { volume_name: 'fast' } }
    expect(chooseRootDisk(arrays, { properties, target_raid_config: { logical_disks: [logical] } }).name).toBe(
      '/dev/md127',
    )
  })
})

describe('hints', () => {
  it.each([
    [{ name: '/dev/sdc' }, 'sdc'],
    [{ serial: 'BTYG' }, 'sdc'],
    [{ serial: 'btyg' }, 'sdc'],
    [{ serial: 's== BTYG' }, 'sdc'],
    [{ serial: 's!= S47A' }, 'sdb'],
    [{ serial: 's> PHYF' }, 'sda'],
    [{ serial: 's>= S47A' }, 'sda'],
    [{ serial: 's< C' }, 'sdc'],
    [{ serial: 's<= BTYG' }, 'sdc'],
    [{ serial: 'tiny' }, 'sdd'],
    [{ model: '<in> KG48' }, 'sdc'],
    [{ model: '<all-in> intel <all-in> kb48' }, 'sdb'],
    [{ model: '<all-in> intel kg48' }, 'sdc'],
    [{ model: 'INTEL%20SSDSC2KG48' }, 'sdc'],
    [{ serial: '<or> nobody <or> BTYG' }, 'sdc'],
    [{ wwn: '0x55CD2E4150F4' }, 'sdb'],
    [{ hctl: '0:0:0:0' }, 'sda'],
    [{ by_path: '/dev/disk/by-path/pci-1' }, 'sdc'],
    [{ size: 931 }, 'sda'],
    [{ size: '447' }, 'sdb'],
    [{ size: '== 447' }, 'sdb'],
    [{ size: '!= 931' }, 'sdb'],
    [{ size: '>= 500' }, 'sda'],
    [{ size: '= 500' }, 'sda'],
    [{ size: '<= 10' }, 'sdd'],
    [{ size: '<range-in> [ 3 447 ]' }, 'sdb'],
    [{ size: '<range-in> [ 3 447 )' }, 'sdd'],
    [{ size: '<range-in> ( 447 931 ]' }, 'sda'],
    [{ size: '<or> 3 <or> 4' }, 'sdd'],
    [{ rotational: true }, 'sda'],
    [{ rotational: 'false' }, 'sdb'],
    [{ rotational: '0', vendor: 'ata', model: '<in> KG' }, 'sdc'],
  ])('%j mean %s', (hints, name) => {
    expect(chosen(hints)).toBe(`/dev/${name}`)
  })

  it.each([{ serial: 'nobody' }, { size: 446 }, { wwn: '0x1' }, { rotational: true, serial: 'PHYF' }])(
    '%j match no disk',
    (hints) => {
      expect(() => chosen(hints)).toThrow('no disk matches the root device hints')
    },
  )

  it.each([
    [{ colour: 'red' }],
    [{ size: 'big' }],
    [{ size: '<range-in> 3 4' }],
    [{ size: '<range-in> [ 4 3 ]' }],
    [{ size: -1 }],
    [{ rotational: 'perhaps' }],
    ['sda'],
    [{ serial: '' }],
  ])('%j cannot be used', (hints) => {
    expect(() => chosen(hints)).toThrow('root device hints cannot be used')
  })

  it('of the instance come before those of the node', () => {
    const node = {
      instance_info: { root_device: { name: '/dev/sda' } },
      properties: { root_device: { name: '/dev/sdc' } },
    }
    expect(chooseRootDisk(disks, node).name).toBe('/dev/sda')
  })
})
