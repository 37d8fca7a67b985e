import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { debianBoot } from './boot/debian.ts'
import { startBootLab } from './boot/lab.ts'

let folder: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'secure-boot-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

test('firmware that enforces Secure Boot starts the ramdisk by way of shim, GRUB and the signed kernel', async () => {
  const { kernel } = await debianBoot('amd64')
  await using lab = await startBootLab({ kernel, firmware: 'ovmf-secure', asking: 'pxe4' })
  await lab.says(/Secure boot enabled/i, 500_000)
  await lab.says(/RAMDISK UP/, 500_000)
  const sent = lab.log.map(({ message }) => message)
  for (const file of ['shimx64.efi', 'grubx64.efi', '/grub/grub.cfg'])
    expect(sent.some((line) => line?.startsWith('TFTP sent') && line.includes(file))).toBe(true)
})

test('so does firmware of arm64', async () => {
  const { kernel, busybox, shim, grub } = await debianBoot('arm64')
  const loaders = { shimArm64: shim, grubArm64: grub }
  await using lab = await startBootLab({ kernel, busybox, loaders, firmware: 'aavmf-secure', asking: 'pxe4' })
  await lab.says(/Secure boot enabled/i, 500_000)
  await lab.says(/RAMDISK UP/, 500_000)
  const sent = lab.log.map(({ message }) => message)
  expect(sent).toEqual(expect.arrayContaining(['TFTP sent "shimaa64.efi"', 'TFTP sent "/grub/grub.cfg"']))
})

test('a kernel that was changed after it was signed is not started', async () => {
  const { kernel } = await debianBoot('amd64')
  const bytes = await readFile(kernel)
  const middle = bytes.length >> 1
  bytes[middle] = (bytes[middle] ?? 0) ^ 0xff
  const tampered = join(folder, 'tampered')
  await writeFile(tampered, bytes)
  await using lab = await startBootLab({ kernel: tampered, firmware: 'ovmf-secure', asking: 'pxe4' })
  await lab.says(/bad shim signature|prohibited by secure boot policy/i, 500_000)
  await lab.says(/This boot failed/, 180_000)
})

test('a shim that is revoked does not start, and a GRUB that is revoked is not started by shim', async () => {
  const { kernel } = await debianBoot('amd64')
  const of = { kernel, firmware: 'ovmf-secure', asking: 'pxe4' } as const
  {
    await using lab = await startBootLab({ ...of, sbatLevel: 'sbat,1,2099010100\nshim,99\n' })
    await lab.says(/SBAT self-check failed/, 500_000)
    expect(lab.log.map(({ message }) => message)).not.toContain('TFTP sent "grubx64.efi"')
  }
  await using lab = await startBootLab({ ...of, sbatLevel: 'sbat,1,2099010100\ngrub,99\n' })
  await lab.says(/Verification failed: \(0x1A\) Security Violation/, 500_000)
  const sent = () => lab.log.map(({ message }) => message)
  await expect.poll(sent).toContain('TFTP sent "grubx64.efi"')
  expect(sent()).not.toContain('TFTP sent "/grub/grub.cfg"')
})
