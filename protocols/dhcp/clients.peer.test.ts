import { type ChildProcess, execFileSync } from 'node:child_process'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, test } from 'vitest'
import { type PeerDhclient, startDhclient } from './peer-dhclient.ts'
import { cable, peerNetwork, type PeerNetwork } from './peer-network.ts'

const LEASE_SECONDS = 16
const clients = ['dhclient', 'udhcpc', 'networkd'] as const
type Client = (typeof clients)[number]
const SERVER = `blm-cli-${process.pid}-s`
const netnsOf = (client: Client): string => `blm-cli-${process.pid}-${client}`
const macOf: Record<Client, string> = {
  dhclient: '52:54:00:92:00:01',
  udhcpc: '52:54:00:92:00:02',
  networkd: '52:54:00:92:00:03',
}
let network: PeerNetwork
let files: string
const decisions: Record<string, string>[] = []

/** Three clients and the server at one bridge; leases are so short that each lives through all its states within seconds. */
beforeAll(async () => {
  files = mkdtempSync(join(tmpdir(), 'dhcp-clients-'))
  network = peerNetwork([SERVER, ...clients.map(netnsOf)])
  network.ip(SERVER, 'link add br0 type bridge', 'address add 10.92.0.1/24 dev br0', 'link set br0 up')
  network.ip(SERVER, 'route add 255.255.255.255 dev br0')
  for (const [index, client] of clients.entries()) {
    cable(network, { netns: SERVER, name: `c${index}` }, { netns: netnsOf(client), name: 'eth0' })
    network.ip(SERVER, `link set c${index} master br0`)
    network.ip(netnsOf(client), `link set eth0 address ${macOf[client]}`)
  }
  const program = new URL('peer-server.ts', import.meta.url).pathname
  const range = { first: '10.92.0.100', last: '10.92.0.199' }
  const subnet = { network: '10.92.0.0', serverAddress: '10.92.0.1', leaseSeconds: LEASE_SECONDS, ...range }
  let listening = false
  network.run(SERVER, [process.execPath, program, JSON.stringify({ subnets: [subnet] })], (line) => {
    if ('listening' in line) listening = true
    else decisions.push(line)
  })
  await network.until('word of the server', () => listening)
})
afterAll(async () => {
  await network?.stop()
  rmSync(files, { recursive: true })
})

/** For what a client calls with the event as its first argument, or as `reason`; nothing of the host is touched. */
function script(name: string, body: string): string {
  const path = join(files, name)
  writeFileSync(path, `#!/bin/sh\n${body}\n`)
  chmodSync(path, 0o755)
  return path
}

let dhclient: PeerDhclient
const start: Record<Client, () => ChildProcess> = {
  dhclient() {
    const set = 'ip address replace "$new_ip_address/24" dev eth0'
    const does = `case "$reason" in BOUND|RENEW|REBIND|REBOOT) ${set} ;; esac`
    dhclient = startDhclient(network, netnsOf('dhclient'), files, { does })
    return dhclient.process
  },
  udhcpc() {
    const path = script('udhcpc-script', 'case $1 in bound|renew) ip address replace "$ip/24" dev eth0 ;; esac')
    return network.run(netnsOf('udhcpc'), ['busybox', 'udhcpc', '-f', '-R', '-i', 'eth0', '-s', path])
  },
  // Where /sys can't be written it takes links as they are, instead of waiting for a udev that no namespace has.
  networkd() {
    const path = script(
      'networkd',
      `mount -t tmpfs tmpfs /run/systemd
mkdir -p /run/systemd/network /run/systemd/netif/links /run/systemd/netif/leases /run/systemd/netif/lldp
chown -R systemd-network /run/systemd/netif
printf '[Match]\\nName=eth0\\n[Network]\\nDHCP=ipv4\\nLinkLocalAddressing=no\\n[DHCPv4]\\nSendRelease=yes\\n' \\
  >/run/systemd/network/eth0.network
mount -o remount,ro /sys
exec /lib/systemd/systemd-networkd`,
    )
    return network.run(netnsOf('networkd'), [path])
  },
}

function heard(client: Client, kind: string): Record<string, string>[] {
  return decisions.filter(({ mac, request, reply }) => mac === macOf[client] && `${request} ${reply}` === kind)
}

function addresses(client: Client): string {
  return execFileSync('ip', ['-netns', netnsOf(client), '-4', 'address', 'show', 'dev', 'eth0'], { encoding: 'utf8' })
}

test.concurrent.for(clients)(
  '%s obtains a lease, renews it, rebinds when it can only be broadcast, and releases it',
  async (client, { expect }) => {
    const child = start[client]()
    const acks = (): number => heard(client, 'request ack').length
    await network.until(`first lease of ${client}`, acks)
    const [{ address = '' } = {}] = heard(client, 'request ack')
    expect(address).toMatch(/^10\.92\.0\.1\d\d$/)
    await network.until(`address of ${client}`, () => addresses(client).includes(address))

    // Renewing is unicast from the client's own address, half-way through the lease.
    const bound = acks()
    await network.until(`renewal of ${client}`, () => acks() > bound)

    // Now no unicast leaves: what renews the lease from here on was broadcast.
    network.ip(netnsOf(client), 'route add unreachable 10.92.0.1/32')
    const renewed = acks()
    await network.until(`rebinding of ${client}`, () => acks() > renewed)
    network.ip(netnsOf(client), 'route del unreachable 10.92.0.1/32')
    expect(new Set(heard(client, 'request ack').map((decision) => decision['address']))).toEqual(new Set([address]))
    expect(heard(client, 'request nak')).toEqual([])

    if (client === 'dhclient') dhclient.release()
    else child.kill('SIGTERM')
    const [release] = await network.until(`release of ${client}`, () => {
      const releases = heard(client, 'release none')
      return releases.length > 0 && releases
    })
    expect(release?.['because']).toBe('released')
  },
)
