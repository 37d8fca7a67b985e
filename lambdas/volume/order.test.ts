import { expect, test } from 'vitest'
import type { Volume, VolumeAttachment, VolumeSnapshot } from '../../contract/block-storage.ts'
import { answered, statusBy, wantedOf } from './order.ts'

const NOW = new Date('2026-11-23T10:00:00Z')
const secret = { $sealed: { v: 1 as const, to: {} } }
const exportedAt = { target_iqn: 'iqn.2026-11.org.example:v', target_portal: '10.20.0.1:3260', target_lun: 1 }
const attachment = (uuid: string, more: Partial<VolumeAttachment> = {}): VolumeAttachment => ({
  uuid,
  server: null,
  status: 'attaching',
  mode: 'rw',
  connector: { initiator: 'iqn.2026-11.org.example:n1', host: null, mountpoint: null },
  secret,
  exported: null,
  attached_at: null,
  ...more,
})
const snapshot = (uuid: string, status: VolumeSnapshot['status']): VolumeSnapshot => ({
  uuid,
  name: null,
  description: null,
  metadata: {},
  size: 5,
  status,
  created_at: NOW.toISOString(),
  updated_at: null,
})
const volume = (more: Partial<Volume> = {}): Volume => ({
  uuid: 'v',
  name: null,
  description: null,
  project_id: 'p',
  user_id: 'u',
  size: 5,
  former_size: null,
  metadata: {},
  bootable: false,
  image: null,
  source: null,
  type: null,
  status: 'available',
  fault: null,
  availability_zone: 'berlin',
  for_server: null,
  appliance: 'a',
  snapshots: [],
  attachments: [],
  generation: 2,
  ordered: 2,
  settled: 1,
  deadline: NOW.toISOString(),
  created_at: NOW.toISOString(),
  updated_at: null,
  version: 1,
  ...more,
})
const done = { phase: 'done' as const, note: null, exports: [] }
const failed = { phase: 'failed' as const, note: 'the disk is full', exports: [] }

test('a site is to have what shall stay, and lets in who attaches, not who detaches', () => {
  const snapshots = [
    snapshot('a', 'creating'),
    snapshot('b', 'available'),
    snapshot('c', 'deleting'),
    snapshot('d', 'error'),
  ]
  const attachments = [
    attachment('x'),
    attachment('y', { status: 'detaching' }),
    attachment('z', { connector: null, secret: null, status: 'reserved' }),
  ]
  expect(wantedOf(volume({ snapshots, attachments }), null)).toEqual({
    gib: 5,
    source: null,
    snapshots: ['a', 'b'],
    exports: [{ attachment: 'x', initiator: 'iqn.2026-11.org.example:n1', secret }],
  })
  expect(wantedOf(volume({ status: 'deleting' }), null)).toBeNull()
})

test('what it is made of is said while it is made, and then no more', () => {
  const source = { kind: 'snapshot' as const, volume: 'w', snapshot: 's' }
  expect(wantedOf(volume({ status: 'creating', source }), null)?.source).toEqual(source)
  expect(wantedOf(volume({ source }), null)?.source).toBeNull()
})

test('an answer settles what was asked: states, snapshots, exports', () => {
  expect(answered(volume({ status: 'creating' }), done, NOW)).toMatchObject({
    status: 'available',
    settled: 2,
    deadline: null,
  })
  expect(answered(volume({ status: 'deleting' }), done, NOW)).toBe('gone')
  const snapshots = [snapshot('a', 'creating'), snapshot('c', 'deleting')]
  expect(answered(volume({ snapshots }), done, NOW)).toMatchObject({ snapshots: [{ uuid: 'a', status: 'available' }] })
  const attaching = volume({ status: 'attaching', attachments: [attachment('x')] })
  const exports = [{ attachment: 'x', ...exportedAt }]
  expect(answered(attaching, { ...done, exports }, NOW)).toMatchObject({
    status: 'attaching',
    attachments: [{ uuid: 'x', exported: exportedAt }],
  })
  const detaching = volume({ status: 'detaching', attachments: [attachment('x', { status: 'detaching' })] })
  expect(answered(detaching, done, NOW)).toMatchObject({ status: 'available', attachments: [] })
})

test('a refusal leaves the volume as it was, and says why', () => {
  expect(answered(volume({ status: 'creating' }), failed, NOW)).toMatchObject({
    status: 'error',
    fault: 'the disk is full',
  })
  expect(answered(volume({ status: 'deleting' }), failed, NOW)).toMatchObject({ status: 'error_deleting' })
  const extending = volume({ status: 'extending', size: 9, former_size: 5 })
  expect(answered(extending, failed, NOW)).toMatchObject({ status: 'error_extending', size: 5, former_size: null })
  const snapshots = [snapshot('a', 'creating'), snapshot('b', 'available')]
  expect(answered(volume({ snapshots }), failed, NOW)).toMatchObject({
    status: 'available',
    snapshots: [{ status: 'error' }, { status: 'available' }],
  })
})

test('a volume is what its attachments make of it', () => {
  expect(statusBy([])).toBe('available')
  expect(statusBy([attachment('x', { status: 'reserved' })])).toBe('reserved')
  expect(statusBy([attachment('x')])).toBe('attaching')
  expect(statusBy([attachment('x', { status: 'attached' }), attachment('y')])).toBe('in-use')
})
