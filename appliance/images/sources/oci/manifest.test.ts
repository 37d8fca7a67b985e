import { expect, it } from 'vitest'
import { choose, document, fileOf, type Listed } from './manifest.ts'

const digest = (digit: string) => `sha256:${digit.repeat(64)}`
const listed = (digit: string, architecture?: string, disktype?: string): Listed => ({
  digest: digest(digit),
  size: 10,
  ...(architecture !== undefined && { platform: { architecture, os: 'linux' } }),
  ...(disktype !== undefined && { annotations: { disktype } }),
})

it.each([
  ['the machine’s architecture', [listed('a', 'arm64', 'qcow2'), listed('b', 'amd64', 'qcow2')], 'b', 'qcow2'],
  ['either name of an architecture', [listed('a', 'aarch64', 'raw'), listed('b', 'x86_64', 'raw')], 'b', 'raw'],
  ['qcow2 before raw', [listed('a', 'amd64', 'applehv'), listed('b', 'amd64', 'qemu')], 'b', 'qcow2'],
  ['a disk before what says nothing', [listed('a', 'amd64'), listed('b', 'amd64', 'raw')], 'b', 'raw'],
  ['no disk of another hypervisor', [listed('a', 'amd64', 'hyperv'), listed('b', 'amd64', 'raw')], 'b', 'raw'],
  [
    'what names an architecture before what names none',
    [listed('a', undefined, 'qcow2'), listed('b', 'amd64')],
    'b',
    undefined,
  ],
  ['what names none, for want of better', [listed('a', 'unknown'), listed('b', 'arm64')], 'a', undefined],
] as const)('of an index is chosen: %s', (_, manifests, expected, format) => {
  expect(choose(manifests, 'x86_64')).toMatchObject({ digest: digest(expected), format })
})

it('of an index for other machines nothing is chosen', () => {
  expect(choose([listed('a', 'arm64', 'raw'), listed('b', 'amd64', 'wsl')], 'x86_64')).toBeUndefined()
})

const manifest = (layers: object[], annotations?: Record<string, string>) => {
  const parsed = document.parse({ layers, annotations })
  if (parsed.kind !== 'manifest') throw new Error('it was read as an index')
  return parsed
}

it.each([
  ['its own annotation', { disktype: 'qcow2' }, undefined, 'qcow2'],
  ['the name of its file', undefined, 'debian.raw.zst', 'raw'],
  ['nothing', undefined, 'debian.img', undefined],
])('the format of an artifact is known by %s', (_, annotations, title, expected) => {
  const notes = title === undefined ? {} : { annotations: { 'org.opencontainers.image.title': title } }
  const found = fileOf('i', manifest([{ digest: digest('c'), size: 3, ...notes }], annotations))
  expect([found.blob.digest, found.format]).toEqual([digest('c'), expected])
})

it('a container is no disk, and neither is nothing', () => {
  const layer = { digest: digest('c'), size: 3 }
  expect(() => fileOf('i', manifest([layer, layer]))).toThrow('2 layers, as a container has')
  expect(() => fileOf('i', manifest([]))).toThrow('names no file')
})

it.each([
  [{ layers: [{ digest: 'md5:abc', size: 1 }] }],
  [{ manifests: [{ digest: digest('a'), size: -1 }] }],
  [{ schemaVersion: 2 }],
  [[]],
  [null],
])('%j is no manifest', (given) => {
  expect(document.safeParse(given).success).toBe(false)
})
