import { expect, test } from 'vitest'
import { missingModules, moduleClosure } from './modules.ts'

const dependencies = `kernel/fs/fat/fat.ko:
kernel/fs/fat/vfat.ko: kernel/fs/fat/fat.ko
kernel/drivers/net/virtio_net.ko: kernel/drivers/net/net_failover.ko kernel/net/core/failover.ko
kernel/drivers/scsi/pcmcia/aha152x_cs.ko: kernel/drivers/pcmcia/pcmcia.ko
kernel/sound/soundcore.ko:
kernel/fs/ext4/ext4.ko: kernel/fs/jbd2/jbd2.ko
kernel/fs/jbd2/jbd2.ko:
kernel/crypto/crc32c_generic.ko:
kernel/arch/x86/crypto/crc32c-intel.ko: kernel/crypto/simd.ko
`
const index = { dependencies, soft: '', aliases: '' }

test('the closure holds the chosen modules and all that they depend on', () => {
  expect(moduleClosure(index, ['drivers/net/virtio_net.ko'])).toEqual([
    'kernel/drivers/net/net_failover.ko',
    'kernel/drivers/net/virtio_net.ko',
    'kernel/net/core/failover.ko',
  ])
})

test('what a module wants beside it comes too, by its name or by one that modules give themselves', () => {
  const soft = '# from modules\nsoftdep jbd2 pre: crypto-crc32c\nsoftdep crc32c_intel post: soundcore nothing\n'
  const aliases = 'alias crypto-crc32c crc32c_intel\nalias crypto-crc32c crc32c_generic\nalias crypto-sha1 sha1\n'
  expect(moduleClosure({ ...index, soft, aliases }, ['fs/ext4/'])).toEqual([
    'kernel/arch/x86/crypto/crc32c-intel.ko',
    'kernel/crypto/crc32c_generic.ko',
    'kernel/crypto/simd.ko',
    'kernel/fs/ext4/ext4.ko',
    'kernel/fs/jbd2/jbd2.ko',
    'kernel/sound/soundcore.ko',
  ])
})

test('a directory stands for all that is in it', () => {
  expect(moduleClosure(index, ['fs/fat/'])).toEqual(['kernel/fs/fat/fat.ko', 'kernel/fs/fat/vfat.ko'])
})

test('unwanted hardware stays out even when its directory is wanted', () => {
  expect(moduleClosure(index, ['drivers/scsi/'])).toEqual([])
})

test('a module that is built in or written with dashes is not missing', () => {
  const files = ['kernel/drivers/nvme/host/nvme-core.ko']
  expect(missingModules(['nvme_core', 'virtio_pci', 'ahci'], files, 'kernel/drivers/virtio/virtio_pci.ko\n')).toEqual([
    'ahci',
  ])
})
