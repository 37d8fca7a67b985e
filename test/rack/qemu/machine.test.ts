import { expect, test } from 'vitest'
import { machineUuid, qemuArguments, type ServerSpec } from './machine.ts'

const parts = (firmware: ServerSpec['firmware']) => ({
  spec: { name: 'rack1-a', firmware, diskMiB: 64 },
  dir: '/rack/a',
  mac: '52:54:00:80:00:0b',
  tap: 'tap0',
})
const device = (args: string[], kind: string) => args.find((arg) => arg.startsWith(`${kind},`))

test('pxe boots the network first and falls back to the disk', () => {
  const args = qemuArguments(parts('bios'), 'pxe')
  expect(device(args, 'virtio-net-pci')).toContain('bootindex=0')
  expect(device(args, 'virtio-blk-pci')).toContain('bootindex=1')
})

test('an explicit disk never tries the network', () => {
  for (const firmware of ['bios', 'uefi'] as const) {
    const args = qemuArguments(parts(firmware), 'default')
    expect(device(args, 'virtio-net-pci')).not.toContain('bootindex')
    expect(device(args, 'virtio-blk-pci')).toContain('bootindex=0')
  }
})

test('SCSI disks have files and places in the boot order of their own', () => {
  const machine = { ...parts('bios'), spec: { ...parts('bios').spec, scsiDisks: 2 } }
  const args = qemuArguments(machine, 'pxe')
  const disks = args.filter((arg) => arg.startsWith('scsi-hd,'))
  expect(disks.map((arg) => /bootindex=(\d+)/.exec(arg)?.[1])).toEqual(['1', '3'])
  expect(args.filter((arg) => arg.includes('file=/rack/a/disk'))).toHaveLength(2)
  expect(device(args, 'virtio-blk-pci')).toBeUndefined()
})

test('a server never told what to boot tries its disk, then the network', () => {
  const args = qemuArguments(parts('bios'), 'none')
  expect(device(args, 'virtio-blk-pci')).toContain('bootindex=0')
  expect(device(args, 'virtio-net-pci')).toContain('bootindex=1')
})

test('a UEFI server uses its own network stack, a BIOS server the iPXE ROM', () => {
  expect(device(qemuArguments(parts('uefi'), 'pxe'), 'virtio-net-pci')).toContain('romfile=')
  expect(device(qemuArguments(parts('bios'), 'pxe'), 'virtio-net-pci')).not.toContain('romfile=')
})

test('the UUID is a UUID, and the same in every run', () => {
  expect(machineUuid('a')).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}$/)
  expect(machineUuid('a')).toBe(machineUuid('a'))
  expect(machineUuid('a')).not.toBe(machineUuid('b'))
})

test('no argument holds a line break: the chassis reads one a line', () => {
  expect(qemuArguments(parts('uefi'), 'pxe').filter((arg) => arg.includes('\n'))).toEqual([])
})
