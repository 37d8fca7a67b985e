import { expect, test } from 'vitest'
import { missingModules, moduleClosure } from './modules.ts'

const dependencies = `kernel/fs/fat/fat.ko:
kernel/fs/fat/vfat.ko: kernel/fs/fat/fat.ko
kernel/drivers/net/virtio_net.ko: kernel/drivers/net/net_failover.ko kernel/net/core/failover.ko
kernel/drivers/scsi/pcmcia/aha152x_cs.ko: kernel/drivers/pcmcia/pcmcia.ko
kernel/sound/soundcore.ko:
`

test('the closure holds the chosen modules and all that they depend on', () => {
  expect(moduleClosure(dependencies, ['drivers/net/virtio_net.ko'])).toEqual([
    'kernel/drivers/net/net_failover.ko',
    'kernel/drivers/net/virtio_net.ko',
    'kernel/net/core/failover.ko',
  ])
})

test('a directory stands for all that is in it', () => {
  expect(moduleClosure(dependencies, ['fs/fat/'])).toEqual(['kernel/fs/fat/fat.ko', 'kernel/fs/fat/vfat.ko'])
})

test('unwanted hardware stays out even when its directory is wanted', () => {
  expect(moduleClosure(dependencies, ['drivers/scsi/'])).toEqual([])
})

test('a module that is built in or written with dashes is not missing', () => {
  const files = ['kernel/drivers/nvme/host/nvme-core.ko']
  expect(missingModules(['nvme_core', 'virtio_pci', 'ahci'], files, 'kernel/drivers/virtio/virtio_pci.ko\n')).toEqual([
    'ahci',
  ])
})
