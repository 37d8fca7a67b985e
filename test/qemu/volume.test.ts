import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { debianBoot } from './boot/debian.ts'
import { startBootLab } from './boot/lab.ts'
import { makeVolume, SAYS } from './boot/volume.ts'

test("a BIOS boots from an iSCSI volume: iPXE logs in to Debian's tgtd with the machine's secret, and GRUB reads its kernel from there", async () => {
  const dir = await mkdtemp(join(tmpdir(), 'volume-'))
  onTestFinished(() => rm(dir, { recursive: true, force: true }))
  const { kernel, busybox } = await debianBoot('amd64')
  const volume = await makeVolume(dir, { kernel, busybox })
  await using lab = await startBootLab({ kernel, firmware: 'seabios', asking: 'pxe4', volume })
  await lab.says(new RegExp(SAYS), 300_000)
  const messages = lab.log.map(({ message }) => message)
  expect(messages).toContain('boot script served')
  expect(JSON.stringify(lab.log)).not.toContain('only-for-one-lab')
})
