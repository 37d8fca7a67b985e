import type { ChildProcess } from 'node:child_process'
import { cable, type PeerNetwork } from '@bloomery/dhcp/peer-network.ts'

/** How the machine's network reaches the boot services; namespaces are called after who lives in them. */
export type Way = 'cable' | 'relay' | 'dnsmasq'

export interface LabNames {
  site: string
  rack: string
  between: string
}

export function labNames(prefix: string): LabNames {
  return { site: `${prefix}-site`, rack: `${prefix}-rack`, between: `${prefix}-between` }
}

/**
 *     cable:    site prov0 ───────────────────────── uplink br0 tap0 (QEMU)
 *     relay:    site prov0 ── up0 dhcrelay lan0 ──── uplink br0 tap0, another subnet
 *     dnsmasq:  as cable, and a dnsmasq at the same bridge gives the addresses
 *
 * Gives the programs that have to run as long as it is used.
 */
export function layCables(network: PeerNetwork, { site, rack, between }: LabNames, way: Way): ChildProcess[] {
  const helpers: ChildProcess[] = []
  network.ip(rack, 'link add br0 type bridge stp_state 0 forward_delay 0 mcast_snooping 0', 'link set br0 up')
  network.ip(rack, 'tuntap add tap0 mode tap', 'link set tap0 master br0 up')
  if (way === 'relay') {
    cable(network, { netns: site, name: 'prov0' }, { netns: between, name: 'up0' })
    cable(network, { netns: between, name: 'lan0' }, { netns: rack, name: 'uplink' })
    network.ip(between, 'address add 10.97.0.2/24 dev up0', 'address add 10.98.0.1/24 dev lan0')
    network.run(between, ['sh', '-c', 'echo 1 >/proc/sys/net/ipv4/ip_forward'])
    network.ip(site, 'address add 10.97.0.1/24 dev prov0', 'route add 10.98.0.0/24 via 10.97.0.2')
    const cards = ['-id', 'lan0', '-iu', 'up0']
    helpers.push(network.run(between, ['dhcrelay', '-4', '-d', '-a', '--no-pid', ...cards, '10.97.0.1']))
  } else {
    cable(network, { netns: site, name: 'prov0' }, { netns: rack, name: 'uplink' })
    network.ip(site, 'address add 10.97.0.1/24 dev prov0', 'address add fd00:97::1/64 dev prov0 nodad')
  }
  network.ip(site, 'route add 255.255.255.255 dev prov0')
  network.ip(rack, 'link set uplink master br0')
  if (way !== 'dnsmasq') return helpers
  cable(network, { netns: rack, name: 'other' }, { netns: between, name: 'eth0' })
  network.ip(rack, 'link set other master br0')
  network.ip(between, 'address add 10.97.0.2/24 dev eth0', 'route add 255.255.255.255 dev eth0')
  const quiet = ['--keep-in-foreground', '--port=0', '--conf-file=/dev/null', '--user=root', '--no-ping']
  const gives = ['--dhcp-leasefile=/dev/null', '--dhcp-range=10.97.0.100,10.97.0.150,1h']
  helpers.push(network.run(between, ['dnsmasq', ...quiet, '--interface=eth0', ...gives]))
  return helpers
}
