import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startKernelBetween } from '../images/guest.ts'
import { labRamdisk } from '../lab/ramdisk.ts'
import { vlanRamdisk } from './vlan/guest.ts'

/** 802.1Q by Debian's kernel, because the kernel that runs the tests may have none. */

let dir: string
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'vlan-'))
})
afterAll(() => rm(dir, { recursive: true, force: true }))

test('machines of two VLANs each get an address of their own subnet by one card, and those of others none', async () => {
  const { kernel, initrd } = await labRamdisk(() => {})
  await using guest = await startKernelBetween(kernel, await vlanRamdisk(initrd, dir))
  const said = await guest.says(/SITE UP[^]*ALL ASKED/, 400_000)
  const clients = [...said.matchAll(/CLIENT (\S+) (.*?)\r?$/gm)].map(([, card = '', got = '']) => [card, got])
  expect(Object.fromEntries(clients)).toEqual({
    rack0: 'NONE',
    'rack0.20': expect.stringMatching(/^10\.20\.0\.1\d\d\/24 of 10\.20\.0\.1$/),
    'rack0.30': expect.stringMatching(/^10\.30\.0\.1\d\d\/24 of 10\.30\.0\.1$/),
    'rack0.40': 'NONE',
  })
  const heard = [...said.matchAll(/^SITE (\{.*\})\r?$/gm)].map(([, line = '{}']) => JSON.parse(line) as Heard)
  const macs = new Set(heard.flatMap(({ mac }) => mac ?? []))
  expect([...macs].sort()).toEqual(['52:54:00:97:01:20', '52:54:00:97:01:30'])
  for (const { mac = '', address } of heard.filter((each) => each.address !== undefined))
    expect(address).toMatch(mac.endsWith('20') ? /^10\.20\.0\./ : /^10\.30\.0\./)
})

interface Heard {
  mac?: string
  address?: string
}
