import { execFileSync } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { capture } from '../../appliance/capture/capture.ts'
import { probeMessage } from '../../protocols/dhcp/rogue.ts'
import { encodePacket } from '../../protocols/dhcp/packet.ts'
import { macToBytes } from '../../protocols/wire/address.ts'
import { Fleet, type Member } from '../rack/paper/fleet.ts'
import { run } from './bloomery-process.ts'
import { enrol } from './hand-made-appliance.ts'
import { cloudHere, type CloudHere } from './cloud-here.ts'

/** A packet capture from the command line to the site and back; tcpdump listens on this machine's loopback. */

let cloud: CloudHere
let fleet: Fleet
let member: Member
let dir: string
/** Instead of recording; undefined: tcpdump records. */
let fails: string | undefined

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'bloomery-capture-'))
  cloud = await cloudHere()
  fleet = new Fleet({
    endpoint: cloud.endpoint,
    sites: 1,
    machinesPerSite: 1,
    speed: 1,
    capture: (order) =>
      fails === undefined ? capture({ ...order, interface: 'lo' }) : Promise.reject(new Error(fails)),
  })
  await fleet.join()
  member = fleet.members[0]!
})
afterAll(async () => {
  await fleet?.tearDown()
  await cloud?.stopAndForget()
  rmSync(dir, { recursive: true, force: true })
})

const bloomery = (...argv: string[]) => run([...argv, '--endpoint', cloud.endpoint])

/** What a relay would carry for two machines: told apart by chaddr only. */
async function whileBothAsk<T>(what: Promise<T>): Promise<T> {
  const socket = createSocket('udp4').unref()
  const subnet = { network: 0, prefix: 24, serverAddress: 1, first: 1, last: 2, dns: [], leaseSeconds: 60 }
  const message = (mac: string): Uint8Array => {
    const probe = probeMessage(subnet, 7)
    return encodePacket({ ...probe, chaddr: macToBytes(mac) })
  }
  const both = [member.machine.mac, '52:54:00:97:ff:02'].map(message)
  const beat = setInterval(() => {
    for (const bytes of both) socket.send(bytes, 67, '127.0.0.1')
  }, 20)
  return what.finally(() => {
    clearInterval(beat)
    socket.close()
  })
}

test('a node is captured by one command: frames of its cards and of nobody else, in a file that tshark reads', async () => {
  const file = join(dir, 'n.pcap')
  const argv = ['node', 'capture', member.machine.name, '--packets', '12', '--seconds', '60', '--output', file]
  const { code, stdout, stderr } = await whileBothAsk(bloomery(...argv))
  expect([code, stdout, stderr]).toEqual([
    0,
    expect.stringMatching(/^12 packets .*: enough packets\n$/),
    expect.any(String),
  ])
  expect(stderr).toMatch(/^capture asked for: 0 packets, 0 bytes\n/)
  expect(statSync(file).mode & 0o777).toBe(0o600)
  const fields = ['-r', file, '-T', 'fields', '-e', 'dhcp.hw.mac_addr']
  const macs = execFileSync('tshark', fields, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
  expect(macs.trim().split('\n')).toEqual(Array(12).fill(member.machine.mac))
  const again = await bloomery(...argv)
  expect([again.code, again.stderr]).toEqual([2, expect.stringContaining('exists: nothing is written over')])
  expect(cloud.logged.join()).not.toContain('signature=')
})

test('while it runs the API tells how far it is, a second one is refused, and its end is told', async () => {
  const { client } = fleet
  const asked = await client.nodes.capture(member.uuid, { seconds: 4, packets: 100_000 })
  expect(asked).toMatchObject({ phase: 'asked', seconds: 4, most_packets: 100_000, url: null })
  await expect(client.nodes.capture(member.uuid, {})).rejects.toMatchObject({ status: 409 })
  const ended = await whileBothAsk(
    (async () => {
      await expect
        .poll(async () => (await client.nodes.captured(member.uuid)).packets, { timeout: 60_000, interval: 50 })
        .toBeGreaterThan(0)
      expect((await client.nodes.captured(member.uuid)).phase).toMatch(/running|captured|done/)
      await expect.poll(async () => (await client.nodes.captured(member.uuid)).phase, { timeout: 60_000 }).toBe('done')
      return client.nodes.captured(member.uuid)
    })(),
  )
  expect(ended).toMatchObject({ uuid: asked.uuid, note: 'time is up' })
  expect((await fetch(ended.url ?? '')).status).toBe(200)
})

test('what can not be captured says why: no tcpdump, no ports, no such site, a site that is away', async () => {
  const file = join(dir, 'none.pcap')
  const captured = (node: string) => bloomery('node', 'capture', node, '--seconds', '2', '--output', file)
  fails = "captures are made by tcpdump, which is not installed: install Debian's package tcpdump"
  expect(await captured(member.machine.name)).toMatchObject({
    code: 1,
    stderr: expect.stringContaining(`the capture of ${member.machine.name} failed: ${fails}`) as string,
  })
  fails = undefined
  expect(() => statSync(file)).toThrow()
  await fleet.client.nodes.create({ name: 'bare', driver: 'ipmi', conductor_group: 'site-1' })
  expect((await captured('bare')).stderr).toContain('Node bare has no ports')
  await expect(fleet.client.nodes.captured('bare')).rejects.toMatchObject({ status: 404 })
  await fleet.client.sites.create('empty')
  const { uuid } = await fleet.client.nodes.create({ name: 'far', driver: 'ipmi', conductor_group: 'empty' })
  await fleet.client.ports.create({ node_uuid: uuid, address: '52:54:00:97:ff:03' })
  expect((await captured('far')).stderr).toContain('Site empty has no appliance: enrol one.')
  await enrol(cloud, 'empty', 'rack-9') // it never came up
  expect((await captured('far')).stderr).toContain('Site empty is away: appliance rack-9 was last heard of never')
})

test('a node that is deleted takes its capture with it', async () => {
  const { url } = await fleet.client.nodes.captured(member.uuid)
  expect(url).toBeNull() // the last one failed
  const ended = fleet.client.nodes.capture(member.uuid, { packets: 1 })
  await whileBothAsk(
    ended.then(() =>
      expect.poll(async () => (await fleet.client.nodes.captured(member.uuid)).phase, { timeout: 60_000 }).toBe('done'),
    ),
  )
  const file = (await fleet.client.nodes.captured(member.uuid)).url ?? ''
  await fleet.client.nodes.delete(member.uuid)
  await expect.poll(async () => (await fetch(file)).status, { timeout: 60_000 }).toBe(404)
})
