import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { cable, peerNetwork, type PeerNetwork } from '@bloomery/dhcp/peer-network.ts'

const HERE = `blm-cap-${process.pid}-h`
const [WANTED, OTHER] = ['52:54:00:97:00:01', '52:54:00:97:00:02']
let network: PeerNetwork
let files: string

/** Frames of both machines go by, over and over. */
beforeAll(async () => {
  files = mkdtempSync(join(tmpdir(), 'capture-'))
  network = peerNetwork([HERE])
  cable(network, { netns: HERE, name: 'prov0' }, { netns: HERE, name: 'far0' })
  network.ip(HERE, 'address add 10.89.0.1/24 dev prov0')
  let sending = false
  network.run(HERE, [process.execPath, join(import.meta.dirname, 'peer-frames.ts')], () => (sending = true))
  await network.until('first frames', () => sending)
})
afterAll(async () => {
  await network?.stop()
  rmSync(files, { recursive: true })
})

const program = join(import.meta.dirname, '../../cli/main.ts')

async function capturing(out: string, more: string[]): Promise<{ code: number; said: string }> {
  const config = join(files, 'appliance.json')
  const subnet = { cidr: '10.89.0.0/24', interfaceAddress: '10.89.0.1', range: ['10.89.0.100', '10.89.0.199'] }
  writeFileSync(config, JSON.stringify({ boot: { nextServer: '10.89.0.1', subnets: [subnet], files: {} } }))
  const argv = ['appliance', 'capture', '--config', config, '--mac', WANTED, '--out', out, ...more]
  const child = spawn('ip', ['netns', 'exec', HERE, process.execPath, program, ...argv])
  let said = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (bytes: Buffer) => (said += bytes.toString()))
  const [code] = (await once(child, 'close')) as [number]
  return { code, said }
}

function read(out: string, ...fields: string[]): string[] {
  const argv = ['-r', out, '-T', 'fields', ...fields.flatMap((field) => ['-e', field])]
  return execFileSync('tshark', argv, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
    .split('\n')
    .filter(Boolean)
}

test('tshark reads the frames of one machine, those that a relay carries among them, and no more than were asked for', async () => {
  const out = join(files, 'boot.pcap')
  const { code, said } = await capturing(out, ['--packets', '12', '--seconds', '120'])
  expect([code, said]).toEqual([0, expect.stringContaining('12 packets') as string])
  const clients = read(out, 'dhcp.hw.mac_addr', 'eth.src')
  expect(clients).toHaveLength(12)
  expect(new Set(clients.map((line) => line.split('\t')[0]))).toEqual(new Set([WANTED]))
  expect(new Set(clients.map((line) => line.split('\t')[1])).size).toBe(1)
  expect(clients.join()).not.toContain(OTHER)
  expect(statSync(out).mode & 0o777).toBe(0o600)
})

test('it ends when its time is up, and never writes over a file', async () => {
  const out = join(files, 'short.pcap')
  const { code, said } = await capturing(out, ['--seconds', '3', '--packets', '1000000'])
  expect([code, said]).toEqual([0, expect.stringContaining('time is up') as string])
  expect(read(out, 'frame.number').length).toBeGreaterThan(0)
  const again = await capturing(out, ['--seconds', '3'])
  expect(again.code).not.toBe(0)
  expect(again.said).toContain('EEXIST')
})
