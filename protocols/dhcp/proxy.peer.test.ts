import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ipv4ToText } from '@bloomery/wire/address.ts'
import { udpDatagrams } from './capture.ts'
import { MessageType, Option } from './codes.ts'
import { decodePacket, encodePacket, type DhcpPacket } from './packet.ts'
import { startDhclient } from './peer-dhclient.ts'
import { cable, peerNetwork, type PeerNetwork } from './peer-network.ts'

const [WIRE, DNSMASQ, PROXY, CLIENT] = ['w', 'd', 'p', 'c'].map((name) => `blm-prx-${process.pid}-${name}`) as [
  string,
  string,
  string,
  string,
]
let network: PeerNetwork
let files: string
const decisions: Record<string, string>[] = []

/** dnsmasq gives addresses, our proxy says what to boot, each on a host of its own at one bridge. */
beforeAll(async () => {
  files = mkdtempSync(join(tmpdir(), 'proxy-'))
  network = peerNetwork([WIRE, DNSMASQ, PROXY, CLIENT])
  network.ip(WIRE, 'link add br0 type bridge', 'link set br0 up')
  for (const [netns, name] of [
    [DNSMASQ, 'd0'],
    [PROXY, 'p0'],
    [CLIENT, 'c0'],
  ] as const) {
    cable(network, { netns: WIRE, name }, { netns, name: 'eth0' })
    network.ip(WIRE, `link set ${name} master br0`)
    network.ip(netns, 'route add 255.255.255.255 dev eth0')
  }
  network.ip(DNSMASQ, 'address add 10.94.0.1/24 dev eth0')
  network.ip(PROXY, 'address add 10.94.0.3/24 dev eth0')
  const leases = `--dhcp-leasefile=${files}/leases`
  const range = '--dhcp-range=10.94.0.100,10.94.0.150,1h'
  network.run(DNSMASQ, [
    'dnsmasq',
    '--keep-in-foreground',
    '--port=0',
    '--conf-file=/dev/null',
    '--user=root',
    '--interface=eth0',
    '--no-ping',
    leases,
    range,
  ])
  const program = new URL('peer-server.ts', import.meta.url).pathname
  let listening = false
  const config = { subnets: [{ network: '10.94.0.0', serverAddress: '10.94.0.3' }], bootFile: 'boot.efi' }
  network.run(PROXY, [process.execPath, program, JSON.stringify(config)], (line) => {
    if ('listening' in line) listening = true
    else decisions.push(line)
  })
  await network.until('word of the proxy', () => listening)
  // A discover is sent once: who is not there yet never answers it.
  await network.listens(DNSMASQ, 'udp', 67)
})
afterAll(async () => {
  await network?.stop()
  rmSync(files, { recursive: true })
})

interface Heard {
  from: string
  port: number
  packet: DhcpPacket
}

/** A client on one port, in the client's namespace. */
async function client(port: number): Promise<{
  heard: Heard[]
  send(packet: DhcpPacket, address: string, to: number): void
  close(): void
}> {
  const heard: Heard[] = []
  let ready = false
  const program = new URL('peer-client.ts', import.meta.url).pathname
  const child = network.run(CLIENT, [process.execPath, program, `${port}`], (line) => {
    if ('ready' in line) ready = true
    else {
      const { from = '', hex = '' } = line
      heard.push({ from, port: Number(line['port']), packet: decodePacket(Buffer.from(hex, 'hex')) })
    }
  })
  await network.until('word of the client', () => ready)
  return {
    heard,
    send: (packet, address, to) =>
      child.stdin?.write(`${address} ${to} ${Buffer.from(encodePacket(packet, 1_472)).toString('hex')}\n`),
    close: () => child.stdin?.end(),
  }
}

function captured(name: string): DhcpPacket[] {
  return udpDatagrams(readFileSync(new URL(`captures/${name}.pcap`, import.meta.url)))
    .filter(({ destinationPort }) => [67, 4011].includes(destinationPort))
    .map(({ payload }) => decodePacket(payload))
    .filter(({ op }) => op === 1)
}

const type = ({ packet }: Heard): number | undefined => packet.options.get(Option.messageType)?.[0]

test('firmware hears an address from dnsmasq and its file from us, and from our boot server port the file again', async () => {
  const requests = captured('ovmf-proxydhcp')
  const discover = requests.find(({ options }) => options.get(Option.messageType)?.[0] === MessageType.discover)
  if (discover === undefined) throw new Error('the capture has no discover')
  const dhcp = await client(68)
  dhcp.send(discover, '255.255.255.255', 67)
  await network.until('offer of each server', () => dhcp.heard.length > 1)
  expect(dhcp.heard.map(({ from }) => from).sort()).toEqual(['10.94.0.1', '10.94.0.3'])
  expect(dhcp.heard.map(type)).toEqual([MessageType.offer, MessageType.offer])
  const [theirs, ours] = dhcp.heard.sort((a, b) => a.from.localeCompare(b.from))
  expect(ipv4ToText(theirs?.packet.yiaddr ?? 0)).toMatch(/^10\.94\.0\.1\d\d$/)
  expect(theirs?.packet.file).toBe('')
  expect(ours?.packet).toMatchObject({ yiaddr: 0, file: 'boot.efi' })
  dhcp.close()

  const address = ipv4ToText(theirs?.packet.yiaddr ?? 0)
  network.ip(CLIENT, `address add ${address}/24 dev eth0`)
  const bootRequest = requests.find(({ ciaddr }) => ciaddr !== 0)
  if (bootRequest === undefined) throw new Error('the capture has no request to a boot server')
  const pxe = await client(4011)
  const options = new Map(bootRequest.options)
  options.delete(Option.serverIdentifier)
  pxe.send({ ...bootRequest, ciaddr: theirs?.packet.yiaddr ?? 0, options }, '10.94.0.3', 4011)
  await network.until('answer of the boot server', () => pxe.heard.length > 0)
  expect(pxe.heard[0]).toMatchObject({ from: '10.94.0.3', port: 4011, packet: { file: 'boot.efi', yiaddr: 0 } })
  pxe.close()
  network.ip(CLIENT, `address del ${address}/24 dev eth0`)
  await expect
    .poll(() => decisions.map(({ request, reply }) => `${request} ${reply}`))
    .toEqual(['discover offer', 'request ack'])
})

test('dhclient gets its lease from dnsmasq as if we were not there', async () => {
  decisions.length = 0
  expect(await startDhclient(network, CLIENT, files).bound()).toMatch(/^10\.94\.0\.1\d\d 10\.94\.0\.1$/)
  expect(decisions).toEqual([])
})
