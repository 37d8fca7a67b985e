import { describe, expect, it } from 'vitest'
import { GiB, MiB, type Disk } from '../disks/disk.ts'
import { places } from './table.ts'
import { wantedLayout, type Ground } from './wanted.ts'

const disk: Disk = { name: '/dev/sda', size: 100 * GiB, sector: 512, rotational: false, discards: true }
const image = { id: 'debian', urls: ['http://192.0.2.1/root.raw'] }
const layout = (asked: object, firmware: Ground['firmware'] = 'uefi', more: Partial<Disk> = {}, configDrive = 0) =>
  wantedLayout({ ...image, ...asked }, { ...disk, ...more }, { firmware, configDrive })
const roles = (...given: Parameters<typeof layout>) =>
  layout(...given).partitions.map(({ role, size }) => `${role} ${size / MiB}`)

describe('the partitions around a root file system', () => {
  it('are one for the loader, what was asked for, and the root at the end', () => {
    const asked = { root_mb: 10_240, swap_mb: 512, ephemeral_mb: 2048 }
    expect(roles(asked, 'uefi', {}, 400_000)).toEqual([
      'esp 200',
      'ephemeral 2048',
      'swap 512',
      'config-2 1',
      'root 10240',
    ])
    expect(places(layout(asked)).map(({ number, offset }) => [number, offset / MiB])).toEqual([
      [1, 1],
      [2, 201],
      [3, 2249],
      [4, 2761],
    ])
  })

  it.each([
    ['uefi', undefined, 'gpt', ['esp 200', 'root 1024']],
    ['uefi', 'msdos', 'msdos', ['esp 200', 'root 1024']],
    ['bios', undefined, 'msdos', ['root 1024']],
    ['bios', 'gpt', 'gpt', ['bios-boot 1', 'root 1024']],
  ] as const)('under %s with label %s are in a table of kind %s', (firmware, disk_label, label, expected) => {
    const asked = { root_gb: 1, disk_label }
    expect(layout(asked, firmware).label).toBe(label)
    expect(roles(asked, firmware)).toEqual(expected)
  })

  it('on an array need no loader: that is on the disks of the array', () => {
    for (const firmware of ['uefi', 'bios'] as const)
      expect(roles({ root_mb: 1024 }, firmware, { members: ['/dev/sda2', '/dev/sdb2'] })).toEqual(['root 1024'])
  })
})

describe('what cannot be', () => {
  it.each([
    [{}, /root_gb is not given/],
    [{ root_mb: 0 }, /root_gb is not given/],
    [{ root_mb: 200_000 }, /take 200201 MiB, and \/dev\/sda has 102398/],
    [{ root_mb: 'big' }, /root_mb/],
    [{ root_mb: 1, ephemeral_mb: 1, ephemeral_format: 'zfs' }, /ephemeral_format/],
    [{ root_mb: 1, disk_label: 'bsd' }, /disk_label/],
    [{ root_mb: 1, swap_mb: 1, ephemeral_mb: 1, disk_label: 'msdos' }, /takes 5 partitions, and an MBR has four/],
    [{ root_mb: 1, kernel_append_params: 'quiet\nlinux /evil' }, /kernel_append_params/],
  ])('%j says why', (asked, why) => {
    expect(() => layout(asked, 'uefi', {}, 1)).toThrow(why)
    expect(() => layout(asked, 'uefi', {}, 1)).toThrow("partition image debian can't be deployed")
  })
})

it('keeps an ephemeral partition only where there is one', () => {
  expect(layout({ root_mb: 1, preserve_ephemeral: 'True', ephemeral_mb: 5 }).preserveEphemeral).toBe(true)
  expect(layout({ root_mb: 1, preserve_ephemeral: true }).preserveEphemeral).toBe(false)
  expect(layout({ root_mb: 1, ephemeral_mb: 5 }).preserveEphemeral).toBe(false)
})
