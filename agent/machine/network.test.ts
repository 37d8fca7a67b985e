import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { addressesOf, addressTowards, inUrl, listInterfaces } from './network.ts'

async function machine(cards: Record<string, { address: string; type?: string; device?: boolean }>): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), 'agent-network-'))
  onTestFinished(() => rm(root, { recursive: true }))
  for (const [name, { address, type = '1', device }] of Object.entries(cards)) {
    const folder = join(root, 'class/net', name)
    await mkdir(device ? join(folder, 'device') : folder, { recursive: true })
    await writeFile(join(folder, 'address'), `${address}\n`)
    await writeFile(join(folder, 'type'), `${type}\n`)
  }
  return root
}

it('knows a server by its physical Ethernet cards', async () => {
  const root = await machine({
    lo: { address: '00:00:00:00:00:00', type: '772' },
    eth1: { address: '52:54:00:AA:00:02', device: true },
    eth0: { address: '52:54:00:aa:00:01', device: true },
    ib0: { address: '80:00:02:08:fe:80', type: '32', device: true },
    br0: { address: '52:54:00:aa:00:03' },
  })
  expect((await listInterfaces(root)).map(({ mac }) => mac)).toEqual(['52:54:00:aa:00:01', '52:54:00:aa:00:02'])
})

it('knows it by virtual ones where there are no others', async () => {
  const root = await machine({ veth0: { address: '52:54:00:aa:00:03' } })
  expect(await listInterfaces(root)).toMatchObject([{ name: 'veth0', physical: false }])
})

it('puts the card first that the firmware booted from', () => {
  const cards = ['52:54:00:aa:00:01', '52:54:00:aa:00:02'].map((mac) => ({
    name: mac,
    mac,
    carrier: true,
    physical: true,
  }))
  expect(addressesOf(cards, '52:54:00:aa:00:02')).toEqual(['52:54:00:aa:00:02', '52:54:00:aa:00:01'])
  expect(addressesOf(cards, undefined)).toEqual(['52:54:00:aa:00:01', '52:54:00:aa:00:02'])
})

it('finds its own address on the way to the API', async () => {
  expect(await addressTowards('http://127.0.0.1:6385')).toBe('127.0.0.1')
  expect(inUrl('2001:db8::5')).toBe('[2001:db8::5]')
})
