import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { renderConfigDrive } from './config-drive.ts'

const folder = mkdtempSync(join(tmpdir(), 'config-drive-'))
const image = join(folder, 'drive.iso')
const userData = '#cloud-config\nhostname: räk-1\n'
const volume = renderConfigDrive({
  meta_data: { uuid: '6b9b4b5e-0b5c-4d0f-9c58-2f1f0c7f0a11', hostname: 'rack-1' },
  user_data: userData,
  network_data: { links: [] },
  vendor_data: { a: 1 },
})
writeFileSync(image, volume)
afterAll(() => rmSync(folder, { recursive: true }))

const isoinfo = (...args: string[]) => execFileSync('isoinfo', ['-i', image, ...args], { encoding: 'utf8' })

const names = ['meta_data.json', 'network_data.json', 'user_data', 'vendor_data2.json']
const paths = ['2012-08-10', 'latest'].flatMap((version) => names.map((name) => `/openstack/${version}/${name}`))

test('isoinfo sees the label in both descriptors', () => {
  expect(isoinfo('-d')).toContain('Volume id: config-2')
  expect(isoinfo('-d', '-J')).toContain('Joliet with UCS level 3 found')
})

test('isoinfo lists the names as given through Joliet', () => {
  expect(
    isoinfo('-f', '-J')
      .split('\n')
      .filter((line) => line.endsWith(';1'))
      .map((line) => line.slice(0, -2))
      .sort(),
  ).toEqual(paths)
})

test.each(paths)('isoinfo reads %s through both trees', (path) => {
  const plain = isoinfo('-f').split('\n')
  expect(plain.length).toBeGreaterThan(paths.length)
  const text = isoinfo('-J', '-x', `${path};1`)
  if (path.endsWith('user_data')) expect(text).toBe(userData)
  else expect(JSON.parse(text)).toBeTypeOf('object')
  const upper = `${path.toUpperCase().replaceAll('-', '_')}${path.endsWith('user_data') ? '.' : ''};1`
  expect(isoinfo('-x', upper)).toBe(text)
})

test('blkid knows it by type and label, as a guest looks for it', () => {
  const found = execFileSync('blkid', ['-p', '-o', 'export', image], { encoding: 'utf8' })
  expect(found).toContain('LABEL=config-2')
  expect(found).toContain('TYPE=iso9660')
})

const mountable = process.getuid?.() === 0 && readFileSync('/proc/filesystems', 'utf8').includes('iso9660')

test.runIf(mountable)('the kernel mounts it and shows the names in lower case', () => {
  const place = mkdtempSync(join(folder, 'mount-'))
  execFileSync('mount', ['-o', 'loop,ro', image, place])
  try {
    const listed = execFileSync('find', ['.', '-type', 'f'], { cwd: place, encoding: 'utf8' })
    expect(
      listed
        .trim()
        .split('\n')
        .map((path) => path.slice(1))
        .sort(),
    ).toEqual(paths)
    expect(execFileSync('cat', ['openstack/latest/user_data'], { cwd: place, encoding: 'utf8' })).toBe(userData)
  } finally {
    execFileSync('umount', [place])
  }
})
