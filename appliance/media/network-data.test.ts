import { expect, it } from 'vitest'
import { networkLines } from './network-data.ts'

const links = [{ id: 'l', type: 'phy', ethernet_mac_address: '52:54:00:AA:00:01' }]
const mac = '52:54:00:aa:00:01'

it('addresses, routes and name servers of both families become lines', () => {
  const lines = networkLines({
    links,
    networks: [
      {
        type: 'ipv4',
        link: 'l',
        ip_address: '10.0.0.5',
        netmask: '255.255.252.0',
        gateway: '10.0.0.1',
        routes: [{ network: '10.9.0.0', netmask: '255.255.0.0', gateway: '10.0.0.2' }],
        services: [{ type: 'dns', address: '10.0.0.53' }],
      },
      { type: 'ipv6', link: 'l', ip_address: '2001:db8::5', netmask: 'ffff:ffff:ffff:ffff::', gateway: '2001:db8::1' },
      { type: 'ipv6', link: 'l', ip_address: '2001:db8:1::5/48' },
      { type: 'ipv4_dhcp', link: 'l' },
    ],
    services: [
      { type: 'dns', address: '10.0.0.53' },
      { type: 'ntp', address: '10.0.0.1' },
    ],
  })
  expect(lines.split('\n')).toEqual([
    `address ${mac} 10.0.0.5/22`,
    `route ${mac} 0.0.0.0/0 10.0.0.1`,
    `route ${mac} 10.9.0.0/16 10.0.0.2`,
    `address ${mac} 2001:db8::5/64`,
    `route ${mac} ::/0 2001:db8::1`,
    `address ${mac} 2001:db8:1::5/48`,
    'dns 10.0.0.53',
    '',
  ])
})

const bond = { id: 'b', type: 'bond', bond_links: ['l'], bond_mode: '802.3ad' }
const second = { id: 'm', type: 'phy', ethernet_mac_address: '52:54:00:aa:00:02' }
const vlan = { id: 'v', type: 'vlan', vlan_id: 7, vlan_link: 'b' }

it('bonds and VLANs are made before the addresses that are on them, and no others', () => {
  const unused = { id: 'u', type: 'vlan', vlan_id: 9, vlan_link: 'l' }
  const lines = networkLines({
    links: [vlan, unused, { ...bond, bond_links: ['l', 'm'], bond_miimon: 50 }, ...links, second],
    networks: [
      { type: 'ipv4', link: 'v', ip_address: '10.0.7.5/24', gateway: '10.0.7.1' },
      { type: 'ipv4', link: 'b', ip_address: '10.0.0.5/24' },
    ],
  })
  expect(lines.trim().split('\n')).toEqual([
    `bond bond0 802.3ad 50 ${mac} 52:54:00:aa:00:02`,
    'vlan vlan7 7 bond0',
    'address vlan7 10.0.7.5/24',
    'route vlan7 0.0.0.0/0 10.0.7.1',
    'address bond0 10.0.0.5/24',
  ])
})

it.each([undefined, {}])('%j: nothing is static', (data) => expect(networkLines(data)).toBe(''))

const network = { type: 'ipv4', link: 'l', ip_address: '10.0.0.5', netmask: '24' }
it.each([
  [{ links, networks: [{ ...network, link: 'none' }], services: [] }, /names no link/],
  [{ links: [{ ...links[0], type: 'bridge' }], networks: [network], services: [] }, /can't use link l of type bridge/],
  [{ links: [{ ...links[0], type: 'bond' }], networks: [network], services: [] }, /bond l needs its bond_links/],
  [
    { links: [{ ...links[0], type: 'vlan', vlan_id: 5 }], networks: [network], services: [] },
    /its vlan_id and vlan_link/,
  ],
  [{ links: [{ id: 'l', type: 'vlan', vlan_id: 5000, vlan_link: 'x' }], networks: [network] }, /links\/0\/vlan_id/],
  [{ links: [{ id: 'l', type: 'vlan', vlan_id: 5, vlan_link: 'l' }], networks: [network] }, /too many others/],
  [{ links: [{ id: 'l', type: 'bond', bond_links: ['l'] }], networks: [network] }, /too many others/],
  [{ links: [...links, { ...bond, bond_mode: 'best; reboot' }], networks: [] }, /links\/1\/bond_mode/],
  [
    { links: [...links, { ...bond, bond_links: ['l', 'l'] }], networks: [{ ...network, link: 'b' }] },
    /cards of its own, not 52:54:00:aa:00:01|once/,
  ],
  [{ links, networks: [{ ...network, ip_address: '10.0.0.5; reboot' }], services: [] }, /no address of ipv4/],
  [{ links, networks: [{ ...network, netmask: '255.0.255.0' }], services: [] }, /netmask/],
  [{ links, networks: [{ ...network, netmask: '33' }], services: [] }, /33 netmask/],
  [{ links, networks: [{ ...network, gateway: '$(reboot)' }], services: [] }, /networks\/0\/gateway: is no IP address/],
  [{ links: [{ ...links[0], ethernet_mac_address: 'x' }], networks: [], services: [] }, /is no MAC address/],
  [{ links: 7 }, /network_data\/links/],
])('%j is refused with what is wrong', (data, why) => {
  expect(() => networkLines(data as Record<string, unknown>)).toThrow(why)
})
