import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { listAllDisks, listDisks } from './list.ts'

async function machine(files: Record<string, string>) {
  const root = await mkdtemp(join(tmpdir(), 'agent-disks-'))
  onTestFinished(() => rm(root, { recursive: true }))
  const put = async (path: string, text: string) => {
    await mkdir(dirname(join(root, path)), { recursive: true })
    await writeFile(join(root, path), text)
  }
  await mkdir(join(root, 'sys/block'), { recursive: true })
  await mkdir(join(root, 'dev/disk/by-path'), { recursive: true })
  for (const [path, text] of Object.entries(files)) await put(path, text)
  return { root, places: { sysfs: join(root, 'sys'), dev: join(root, 'dev') } }
}

it('describes a disk of virtio by what sysfs says', async () => {
  const { root, places } = await machine({
    'sys/block/vda/size': '16777216\n',
    'sys/block/vda/serial': 'root-0001\n',
    'sys/block/vda/queue/logical_block_size': '512\n',
    'sys/block/vda/queue/rotational': '1\n',
    'sys/block/vda/queue/discard_max_bytes': '2147483136\n',
    'sys/block/vda/device/vendor': '0x1af4\n',
  })
  await symlink('../../vda', join(root, 'dev/disk/by-path/pci-0000:00:05.0'))
  expect(await listDisks(places)).toMatchObject([
    {
      name: join(root, 'dev/vda'),
      size: 8 * 1024 ** 3,
      sector: 512,
      rotational: true,
      discards: true,
      vendor: '0x1af4',
      serial: 'root-0001',
      by_path: join(root, 'dev/disk/by-path/pci-0000:00:05.0'),
    },
  ])
})

it('reads wide names, the serial number in VPD page 80h and the SCSI address', async () => {
  const { root, places } = await machine({
    'sys/devices/2:0:1:0/wwid': 'naa.6000c29b1c2d3e4f5061728394a5b6c7\n',
    'sys/devices/2:0:1:0/model': 'Virtual disk    \n',
    'sys/devices/2:0:1:0/vpd_pg80': '\0\x80\0\x08  S3R14L ',
    'sys/block/sda/size': '2048',
  })
  await symlink('../../devices/2:0:1:0', join(root, 'sys/block/sda/device'))
  expect(await listDisks(places)).toMatchObject([
    {
      model: 'Virtual disk',
      serial: 'S3R14L',
      wwn: '0x6000c29b1c2d3e4f',
      wwn_with_extension: '0x6000c29b1c2d3e4f5061728394a5b6c7',
      wwn_vendor_extension: '0x5061728394a5b6c7',
      hctl: '2:0:1:0',
      sector: 512,
    },
  ])
})

it('passes over what is no disk, is removable, read-only, hidden or without a medium', async () => {
  const { places } = await machine({
    'sys/block/loop0/size': '2048',
    'sys/block/sr0/size': '2048',
    'sys/block/ram0/size': '2048',
    'sys/block/mmcblk0boot0/size': '2048',
    'sys/block/sdb/size': '2048',
    'sys/block/sdb/removable': '1',
    'sys/block/sdc/size': '2048',
    'sys/block/sdc/ro': '1',
    'sys/block/nvme0c0n1/size': '2048',
    'sys/block/nvme0c0n1/hidden': '1',
    'sys/block/sdd/size': '0',
    'sys/block/mmcblk0/size': '2048',
  })
  expect((await listDisks(places)).map(({ name }) => name.split('/').pop())).toEqual(['mmcblk0'])
})

it('shows arrays with what they are made of, and not the disks behind them', async () => {
  const { root, places } = await machine({
    'sys/block/sda/size': '2048',
    'sys/block/sda/sda2/holders/md0/x': '',
    'sys/block/sdb/size': '2048',
    'sys/block/sdb/sdb2/holders/md0/x': '',
    'sys/block/sdc/size': '2048',
    'sys/block/sdc/holders/dm-0/x': '',
    'sys/block/md0/size': '1024',
    'sys/block/md0/slaves/sdb2/x': '',
    'sys/block/md0/slaves/sda2/x': '',
    'sys/block/md127/size': '0',
  })
  const name = (each: string) => join(root, 'dev', each)
  expect(await listDisks(places)).toMatchObject([
    { name: name('md0'), members: [name('sda2'), name('sdb2')] },
    { name: name('sdc') },
  ])
  const held = (await listAllDisks(places)).filter(({ holds }) => holds)
  expect(held.map((disk) => [disk.name, disk.holds])).toEqual([
    [name('sda'), [name('md0')]],
    [name('sdb'), [name('md0')]],
  ])
})
