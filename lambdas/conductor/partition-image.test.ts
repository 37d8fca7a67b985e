import { describe, expect, it } from 'vitest'
import { partitionsOf } from './partition-image.ts'

const of = (instance_info: Record<string, unknown>, properties: Record<string, unknown> = {}) =>
  partitionsOf({ instance_info, properties })
const plain = {
  root_mb: 10_240,
  swap_mb: 0,
  ephemeral_mb: 0,
  ephemeral_format: null,
  preserve_ephemeral: false,
  disk_label: null,
  kernel_append_params: '',
}

describe('an image', () => {
  it.each([{}, { image_type: 'whole-disk', kernel: 'k', ramdisk: 'r', root_gb: 10 }, { kernel: 'k', root_gb: 10 }])(
    'of a whole disk has no partitions: %j',
    (info) => {
      expect(of(info)).toBeUndefined()
    },
  )

  it.each([
    [{ image_type: 'partition', root_gb: 10 }, {}],
    [{ kernel: 'http://a/k', ramdisk: 'http://a/r', root_gb: '10' }, {}],
    [
      { image_type: 'partition', root_gb: 10, swap_mb: '512', ephemeral_gb: 1, ephemeral_format: 'vfat' },
      { swap_mb: 512, ephemeral_mb: 1024, ephemeral_format: 'vfat' },
    ],
    [{ image_type: 'partition', root_gb: 10, preserve_ephemeral: 'true' }, { preserve_ephemeral: true }],
    [{ image_type: 'partition', root_gb: 10, capabilities: { disk_label: 'gpt' } }, { disk_label: 'gpt' }],
    [
      { image_type: 'partition', root_gb: 10, kernel_append_params: '%default% console=ttyS1' },
      { kernel_append_params: 'console=ttyS1' },
    ],
  ])('%j of partitions', (info, more) => {
    expect(of(info)).toEqual({ ...plain, ...more })
  })

  it('takes its label from the node where the instance has no wish', () => {
    const properties = { capabilities: 'boot_mode:bios,disk_label:gpt' }
    expect(of({ image_type: 'partition', root_gb: 10 }, properties)).toMatchObject({ disk_label: 'gpt' })
    const capabilities = { disk_label: 'msdos' }
    expect(of({ image_type: 'partition', root_gb: 10, capabilities }, properties)).toMatchObject({
      disk_label: 'msdos',
    })
  })
})

it.each([
  [{ image_type: 'partition' }, /root_gb/],
  [{ image_type: 'partition', root_gb: 0 }, /root_mb/],
  [{ image_type: 'partition', root_gb: 'large' }, /root_gb/],
  [{ image_type: 'container' }, /neither partition nor whole-disk/],
  [{ image_type: 'partition', root_gb: 1, ephemeral_format: 'zfs' }, /ephemeral_format/],
  [{ image_type: 'partition', root_gb: 1, capabilities: { disk_label: 'bsd' } }, /disk_label/],
  [{ image_type: 'partition', root_gb: 1, kernel_append_params: 'a; reboot' }, /kernel_append_params/],
])('%j is refused', (info, why) => {
  expect(() => of(info)).toThrow(why)
})
