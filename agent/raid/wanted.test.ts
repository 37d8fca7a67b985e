import { describe, expect, it } from 'vitest'
import { GiB, MiB, type Disk } from '../disks/disk.ts'
import { planArrays } from './layout.ts'
import { parseName } from './mdadm.ts'
import { dataOffset, memberSize, wantedArrays } from './wanted.ts'

const disk = (name: string, gib: number, more: Partial<Disk> = {}): Disk => ({
  name: `/dev/${name}`,
  size: gib * GiB,
  sector: 512,
  rotational: true,
  discards: false,
  serial: name.toUpperCase(),
  ...more,
})
const four = ['sda', 'sdb', 'sdc', 'sdd'].map((name) => disk(name, 100))
const root = { size_gb: 10, raid_level: '1', controller: 'software' }
const plan = (logical_disks: object[], disks = four, firmware: 'uefi' | 'bios' = 'uefi') =>
  planArrays(wantedArrays({ logical_disks }, disks), firmware)
const sizes = (planned: ReturnType<typeof plan>, index: number) =>
  planned.holders[index]?.partitions.map(({ name, size }) => [name, size / MiB])

describe('what is asked for', () => {
  it('becomes one partition a disk for each array, behind one to boot from', () => {
    const planned = plan([root, { size_gb: 'MAX', raid_level: '5', controller: 'software', volume_name: 'data' }])
    expect(planned.holders).toHaveLength(4)
    const left = 100 * 1024 - 2 - 200 - (10 * 1024 + 5)
    for (const index of [0, 3])
      expect(sizes(planned, index)).toEqual([
        ['esp', 200],
        ['raid-0', 10 * 1024 + 5],
        ['raid-data', left],
      ])
    expect(planned.arrays).toMatchObject([
      { name: '0', level: '1', members: four.map((each) => ({ disk: each, number: 2 })) },
      { name: 'data', level: '5', members: four.map((each) => ({ disk: each, number: 3 })) },
    ])
  })

  it('leaves a BIOS room for a loader in place of an EFI system partition', () => {
    expect(sizes(plan([root], four, 'bios'), 0)?.[0]).toEqual(['bios-boot', 8])
  })

  it('takes what the smallest disk has left where it is MAX', () => {
    const planned = plan([{ ...root, size_gb: 'MAX' }], [disk('sda', 2), disk('sdb', 1)], 'bios')
    for (const index of [0, 1]) expect(sizes(planned, index)?.[1]).toEqual(['raid-0', 1024 - 2 - 8])
  })

  it('can have arrays on disks of their own', () => {
    const planned = plan([
      { ...root, physical_disks: [{ serial: 'SDB' }, { serial: 'SDD' }] },
      { ...root, raid_level: '0', volume_name: 'fast', physical_disks: ['/dev/sda', '/dev/sdc'] },
    ])
    expect(
      planned.arrays.map(({ members }) => members.map(({ disk: { name }, number }) => `${name} ${number}`)),
    ).toEqual([
      ['/dev/sdb 2', '/dev/sdd 2'],
      ['/dev/sda 2', '/dev/sdc 2'],
    ])
  })

  it('can name kind and number of disks', () => {
    const disks = [
      disk('sda', 10),
      disk('nvme0n1', 50, { rotational: false }),
      disk('nvme1n1', 50, { rotational: false }),
    ]
    const [array] = wantedArrays({ logical_disks: [{ ...root, disk_type: 'ssd', number_of_physical_disks: 2 }] }, disks)
    expect(array?.disks.map(({ name }) => name)).toEqual(['/dev/nvme0n1', '/dev/nvme1n1'])
  })
})

it.each([
  ['0', 4, 25],
  ['1', 2, 100],
  ['5', 4, 100 / 3],
  ['6', 4, 50],
  ['1+0', 4, 50],
] as const)(
  'level %s of %i disks needs of each what its data take, and room for the superblock',
  (level, disks, gib) => {
    const data = memberSize(level, disks, 100 * GiB) - dataOffset
    expect(data).toBeGreaterThan(gib * GiB)
    expect(data).toBeLessThanOrEqual(gib * GiB + 2 * MiB)
  },
)

describe('what cannot be made says why', () => {
  it.each([
    ['no logical disk', [], /Too small|one or two|Invalid/],
    [
      'three of them',
      [root, { ...root, volume_name: 'b' }, { ...root, volume_name: 'c' }],
      /one or two logical disks, not 3/,
    ],
    ['a first one that firmware cannot boot', [{ ...root, raid_level: '5' }], /must be of level 1/],
    ['a controller', [{ ...root, controller: 'PERC' }], /controller "software"/],
    [
      'two that are MAX',
      [
        { ...root, size_gb: 'MAX' },
        { ...root, size_gb: 'MAX', volume_name: 'b' },
      ],
      /only one .* MAX/,
    ],
    [
      'two of one name',
      [
        { ...root, volume_name: 'a' },
        { ...root, volume_name: 'a' },
      ],
      /named a/,
    ],
    ['a name that is a number', [{ ...root, volume_name: '1' }], /only a number/],
    ['a name that is an option', [{ ...root, volume_name: '--force' }], /can't be one of an array/],
    [
      'a level of controllers',
      [root, { ...root, raid_level: '5+0', volume_name: 'b' }],
      /5\+0 is not one of the kernel/,
    ],
    [
      'too few disks',
      [root, { ...root, raid_level: '6', number_of_physical_disks: 3, volume_name: 'b' }],
      /needs 4 disks or more/,
    ],
    [
      'an odd mirror of stripes',
      [root, { ...root, raid_level: '1+0', number_of_physical_disks: 3, volume_name: 'b' }],
      /even number/,
    ],
    [
      'a disk that is not there',
      [{ ...root, physical_disks: [{ serial: 'SDA' }, { serial: 'SDX' }] }],
      /matches physical_disks .*SDX/,
    ],
    ['one disk twice', [{ ...root, physical_disks: ['/dev/sda', '/dev/sda'] }], /no disk that is left/],
    ['more than there is', [{ ...root, size_gb: 100 }], /too small for it by 207 MiB/],
    ['a wrong key', [{ ...root, colour: 'red' }], /can't be made/],
  ])('%s', (_what, logical_disks, why) => {
    expect(() => plan(logical_disks)).toThrow(why)
    expect(() => plan(logical_disks)).toThrow("this software RAID can't be made")
  })
})

it('leaves MAX no scrap that is not worth an array', () => {
  const disks = [disk('sda', 10.25), disk('sdb', 10.25)]
  expect(() => plan([root, { ...root, size_gb: 'MAX', volume_name: 'b' }], disks)).toThrow(
    /sda is too small for it by 15 MiB/,
  )
})

it("reads an array's name behind that of its host", () => {
  expect(parseName('MD_LEVEL=raid1\nMD_NAME=any:root\nMD_UUID=1:2:3:4\n')).toBe('root')
  expect(parseName('MD_NAME=0\n')).toBe('0')
  expect(parseName('MD_LEVEL=raid1\n')).toBeUndefined()
})
