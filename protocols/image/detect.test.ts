import { expect, it } from 'vitest'
import { formatOf, HEAD_BYTES } from './detect.ts'

const cd = Buffer.alloc(HEAD_BYTES)
cd.write('CD001', 32_769)

it.each([
  [Buffer.from('QFI\xfb\0\0\0\x03', 'latin1'), 'qcow2'],
  [Buffer.from('KDMV'), 'vmdk'],
  [Buffer.from('vhdxfile'), 'vhdx'],
  [Buffer.from([0x1f, 0x8b, 8, 0]), 'gzip'],
  [Buffer.from([0x28, 0xb5, 0x2f, 0xfd]), 'zstd'],
  [cd, 'iso'],
  [Buffer.alloc(HEAD_BYTES), 'raw'],
  [Buffer.from('QF'), 'raw'],
  [Buffer.alloc(0), 'raw'],
])('%# is %s', (head, format) => {
  expect(formatOf(head)).toBe(format)
})
