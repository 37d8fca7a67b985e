import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { entryIn } from './entry.ts'

let root: string
beforeEach(() => (root = mkdtempSync(join(tmpdir(), 'system-'))))
afterEach(() => rmSync(root, { recursive: true, force: true }))

function files(of: Record<string, string>): void {
  for (const [path, text] of Object.entries(of)) {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), text)
  }
}
const menu = "menuentry 'x' {\n\tlinux /boot/vmlinuz-6 root=UUID=9 ro\n\tinitrd /boot/initrd.img-6\n}\n"

it('goes by the menu of GRUB', async () => {
  files({ 'boot/grub/grub.cfg': menu, 'boot/vmlinuz-6': 'k', 'boot/initrd.img-6': 'i' })
  expect(await entryIn(root, '9')).toEqual({
    by: 'menu',
    kernel: { path: join(root, 'boot/vmlinuz-6') },
    initrds: [{ path: join(root, 'boot/initrd.img-6') }],
    commandLine: 'root=UUID=9 ro',
  })
})

it('goes by entries where the menu says so, and by the newest kernel where there is neither', async () => {
  files({ 'grub2/grub.cfg': 'blscfg\n', 'loader/entries/a.conf': 'linux /vmlinuz-7\noptions root=UUID=9\n' })
  expect(await entryIn(root, '9')).toMatchObject({
    kernel: { path: join(root, 'vmlinuz-7') },
    commandLine: 'root=UUID=9',
  })
  rmSync(root, { recursive: true })
  files({ 'boot/vmlinuz-6.1': 'k', 'boot/vmlinuz-6.10': 'k', 'boot/initrd.img-6.10': 'i' })
  expect(await entryIn(root, '9')).toEqual({
    by: 'kernel',
    kernel: { path: join(root, 'boot/vmlinuz-6.10') },
    initrds: [{ path: join(root, 'boot/initrd.img-6.10') }],
    commandLine: 'root=UUID=9 ro',
  })
})

it('finds nothing in what boots nothing, and goes nowhere outside by links', async () => {
  expect(await entryIn(root, '9')).toBeUndefined()
  files({ 'boot/grub/grub.cfg': menu.replaceAll('/boot/vmlinuz-6', '/out/passwd') })
  symlinkSync('/etc', join(root, 'out'))
  expect((await entryIn(root, '9'))?.kernel.path).not.toBe('/etc/passwd')
})
